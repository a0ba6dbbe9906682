import { readFileSync, statSync } from 'node:fs';
import { type Decoder, decodeJson, integer, listOf, literal, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { writeFileAtomically } from '../../util/atomic-file.js';
import { isMissing } from '../../util/file-error.js';
import type { ContainerFiles } from '../container-files.js';
import type { ContainerState } from '../container-state.js';
import { type ContainerHealth, startingHealth } from './container-health.js';

/** A state with a process. */
export type RunningState = Exclude<ContainerState, { readonly status: 'created' | 'exited' }>;

/** A date in the form of `toISOString`. */
const date: Decoder<Date> = (value, path) => {
  const decoded = new Date(text(value, path));
  if (Number.isNaN(decoded.getTime())) throw new EngineError('CORRUPT_RECORD', { path, expected: 'a date' });
  return decoded;
};

const healthRecord = record({
  version: literal(1),
  /** Which run it is about. */
  run: text,
  status: literal('starting', 'healthy', 'unhealthy'),
  failingStreak: integer,
  log: listOf(record({ start: date, end: date, exitCode: integer, output: text })),
});

/**
 * What is known of a container's health; undefined before its first probe. With a state: before the first of that run.
 *
 * @throws EngineError `CORRUPT_RECORD`.
 */
export function readHealth(files: ContainerFiles, state?: RunningState): ContainerHealth | undefined {
  const path = healthFile(files);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    const { version: _, run, ...health } = decodeJson(readFileSync(path, 'utf8'), healthRecord, path);
    return state === undefined || run === runOf(state) ? health : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined; // removed in this moment
    throw error;
  }
}

/** What is told of it: something with a health check that was never started has no health, what has ended is not well. */
export function currentHealth(files: ContainerFiles, state: ContainerState): ContainerHealth | undefined {
  if (state.status === 'created') return undefined;
  if (state.status === 'exited') return { ...(readHealth(files) ?? startingHealth), status: 'unhealthy' };
  return readHealth(files, state) ?? startingHealth;
}

/** Replaces it in one step. False when the container was removed meanwhile. */
export async function saveHealth(
  files: ContainerFiles,
  state: RunningState,
  health: ContainerHealth,
): Promise<boolean> {
  try {
    await writeFileAtomically(
      healthFile(files),
      JSON.stringify({ version: 1, run: runOf(state), ...health }),
      'volatile',
    );
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Says which run of a container is meant. */
export const runOf = ({ process, startedAt }: RunningState): string =>
  `${process.pid} ${process.startTicks} ${startedAt.getTime()}`;

const healthFile = ({ runDirectory }: ContainerFiles): string => `${runDirectory}/health.json`;

/** Held by the one engine that probes a detached container. */
export const healthLock = ({ runDirectory }: ContainerFiles): string => `${runDirectory}/health.lock`;
