import { invalidOption } from './invalid-option.js';

/** When a container that has ended is started again. */
export interface RestartConfig {
  readonly policy: 'always' | 'unless-stopped' | 'on-failure';
  /** With `on-failure`; 0 is without end. */
  readonly maxRetries: number;
}

/** A restart policy: an object, or Docker's short form. */
export type RestartOption =
  | 'no'
  | 'always'
  | 'unless-stopped'
  | 'on-failure'
  | `on-failure:${number}`
  | {
      readonly policy: 'no' | 'always' | 'unless-stopped' | 'on-failure';
      /** Of `'on-failure'` only, from 0; 0 is without end. Default 0. */
      readonly maxRetries?: number;
    };

/** @throws EngineError `INVALID_OPTION`. */
export function resolveRestart(option: RestartOption = 'no'): { readonly restart?: RestartConfig } {
  const { policy, maxRetries } = typeof option === 'string' ? parse(option) : option;
  switch (policy) {
    case 'on-failure':
      if (maxRetries === undefined) return { restart: { policy, maxRetries: 0 } };
      if (!Number.isInteger(maxRetries) || maxRetries < 0 || maxRetries >= 2 ** 31)
        throw invalidOption('restart.maxRetries', 'a whole number from 0', maxRetries);
      return { restart: { policy, maxRetries } };
    case 'no':
    case 'always':
    case 'unless-stopped':
      if (maxRetries !== undefined && maxRetries !== 0)
        throw invalidOption('restart.maxRetries', "used with 'on-failure' only", maxRetries);
      return policy === 'no' ? {} : { restart: { policy, maxRetries: 0 } };
    default:
      throw invalidOption('restart', "'no', 'always', 'unless-stopped' or 'on-failure[:n]'", option);
  }
}

function parse(text: string): { readonly policy: string; readonly maxRetries?: number } {
  const [policy = '', count] = text.split(/:(.*)/s);
  if (count === undefined) return { policy };
  return { policy, maxRetries: /^\d+$/.test(count) ? Number(count) : Number.NaN };
}
