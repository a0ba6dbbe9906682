import assert from 'node:assert/strict';
import type { CommandResult, Container } from 'tscontainer';
import { file } from '../helpers/busybox-layer.js';
import { compileProbe } from '../helpers/compile-probe.js';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { type Random, seededRandom } from '../helpers/random.js';

export interface ExactExitsOptions {
  readonly seed: number;
  readonly runs: number;
  readonly concurrency: number;
  /** Of each stream. */
  readonly maxBytes: number;
  readonly onProgress?: (done: number) => void;
}

export interface ExactExitsReport {
  readonly runs: number;
  readonly execs: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** How one process shall end and what it shall say: pieces of the pattern. */
interface Wanted {
  readonly way: 'run' | 'exec';
  readonly seed: number;
  readonly stdout: Piece;
  readonly stderr: Piece;
  readonly exitCode: number;
  readonly signal: number | undefined;
}

interface Piece {
  readonly at: number;
  readonly size: number;
}

const LONG_MS = 60_000;
/** Signals that end a process that does not handle them. */
const deadly = [1, 2, 3, 4, 6, 8, 9, 11, 13, 14, 15, 24, 31, 34, 47, 64];
/** The first process of a container can only be ended from inside by a fault. */
const faults = [4, 11];

/**
 * Runs many processes at once, as containers and inside of containers, with random ends and random output, and compares
 * each with what it was told to do.
 */
export async function exactExits(options: ExactExitsOptions): Promise<ExactExitsReport> {
  const random = seededRandom(options.seed);
  const pattern = randomBytes(random, 2 * options.maxBytes);
  await using lab = await openEngineLab();
  const image = lab.image([file('probe', await compileProbe('exit-probe'), 0o755), file('pattern', pattern)]);
  const hosts = await Promise.all([1, 2, 3, 4].map(() => startHost(lab, image)));
  const started = performance.now();
  const report = { runs: 0, execs: 0, bytes: 0 };
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < options.runs) {
      const index = next++;
      const wanted = choose(random, options.maxBytes);
      const host = hosts[index % hosts.length] as Container;
      const result = await perform(lab, image, host, wanted);
      check(result, wanted, pattern, `process ${index} of seed ${options.seed}: ${JSON.stringify(wanted)}`);
      report[wanted.way === 'run' ? 'runs' : 'execs'] += 1;
      report.bytes += wanted.stdout.size + wanted.stderr.size;
      options.onProgress?.(index + 1);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
  const seconds = (performance.now() - started) / 1000;
  for (const host of hosts) await host.remove({ force: true });
  return { ...report, seconds };
}

async function startHost(lab: EngineLab, image: string): Promise<Container> {
  const container = await lab.engine.containers.create({ image, command: ['sleep', '100000'], network: 'none' });
  await container.start();
  return container;
}

function randomBytes(random: Random, size: number): Buffer {
  const words = Uint32Array.from({ length: size / 4 }, () => random.below(2 ** 32));
  return Buffer.from(words.buffer);
}

function choose(random: Random, maxBytes: number): Wanted {
  const way = random.below(10) < 7 ? 'run' : 'exec';
  const piece = (): Piece => {
    // Small ones are as frequent as large ones: they end before anybody has begun to read.
    const size = random.below(random.pick([1, 100, 5_000, 70_000, maxBytes + 1]));
    return { at: random.below(2 * maxBytes - size), size };
  };
  const signal = random.below(3) > 0 ? undefined : random.pick(way === 'run' ? faults : deadly);
  const exitCode = signal === undefined ? random.below(256) : 128 + signal;
  return { way, seed: random.below(2 ** 31), stdout: piece(), stderr: piece(), exitCode, signal };
}

function perform(lab: EngineLab, image: string, host: Container, wanted: Wanted): Promise<CommandResult> {
  const { stdout, stderr, signal, exitCode } = wanted;
  const numbers = [
    wanted.seed,
    stdout.at,
    stdout.size,
    stderr.at,
    stderr.size,
    signal === undefined ? exitCode : -signal,
  ];
  const command = ['/probe', '/pattern', ...numbers.map(String)];
  return wanted.way === 'run'
    ? lab.engine.run(image, command, { network: 'none', timeoutMs: LONG_MS })
    : host.exec(command, { timeoutMs: LONG_MS });
}

function check(result: CommandResult, wanted: Wanted, pattern: Buffer, what: string): void {
  assert.equal(result.exitCode, wanted.exitCode, what);
  assert.equal(result.signal !== undefined, wanted.signal !== undefined, what);
  for (const [bytes, { at, size }] of [
    [result.stdoutBytes, wanted.stdout],
    [result.stderrBytes, wanted.stderr],
  ] as const) {
    assert.equal(bytes.length, size, what);
    assert.ok(Buffer.compare(bytes, pattern.subarray(at, at + size)) === 0, what);
  }
}
