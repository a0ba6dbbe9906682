import { EngineError } from './errors/engine-error.js';

/** The search path of a container whose image sets none; the same as Docker's. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Variables by name; `undefined` unsets. Or a list of `KEY=value`, where `KEY` alone unsets. */
export type EnvironmentOption = Readonly<Record<string, string | undefined>> | readonly string[];

export interface EnvironmentSources {
  /** `Env` of the image's config. */
  readonly image?: readonly string[] | undefined;
  /** The caller's; wins over the image's. */
  readonly option?: EnvironmentOption | undefined;
  /** Value of `HOSTNAME` unless set otherwise. Without it, HOSTNAME is not set. */
  readonly hostname?: string | undefined;
  /** The process has a terminal: `TERM` is `xterm` unless set otherwise. */
  readonly tty?: boolean | undefined;
}

/**
 * The environment of a process as `KEY=value`, each key once, the last value given. HOME is not set here: it depends on
 * the user database inside the image.
 *
 * @throws EngineError `INVALID_OPTION` for a name that is empty or contains `=`, and for NUL anywhere.
 */
export function mergeEnvironment(sources: EnvironmentSources): string[] {
  const merged = new Map<string, string>([['PATH', defaultPath]]);
  if (sources.hostname !== undefined) merged.set('HOSTNAME', sources.hostname);
  if (sources.tty === true) merged.set('TERM', 'xterm');
  applyAll(merged, sources.image ?? [], 'image Env');
  applyAll(merged, sources.option ?? [], 'env');
  return [...merged].map(([name, value]) => `${name}=${value}`);
}

function applyAll(merged: Map<string, string>, source: EnvironmentOption, option: string): void {
  const entries = isList(source) ? source.map(splitEntry) : Object.entries(source);
  for (const [name, value] of entries) {
    checkEntry(name, value, option);
    if (value === undefined) merged.delete(name);
    else merged.set(name, value);
  }
}

function isList(source: EnvironmentOption): source is readonly string[] {
  return Array.isArray(source);
}

function splitEntry(entry: string): [name: string, value: string | undefined] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, undefined] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

function checkEntry(name: string, value: string | undefined, option: string): void {
  if (name !== '' && !/[=\0]/.test(name) && !value?.includes('\0')) return;
  throw new EngineError('INVALID_OPTION', {
    option,
    expected: "a variable with a name, without '=' in the name and without NUL",
    got: JSON.stringify(name.slice(0, 200)), // never the value: it may be a secret
  });
}
