import { EngineError } from './errors/engine-error.js';

/** Turns something unknown into a `T`, or throws `CORRUPT_RECORD` naming the path inside the document. */
export type Decoder<T> = (value: unknown, path: string) => T;

/** The type that a decoder gives. */
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

const fail = (path: string, expected: string): never => {
  throw new EngineError('CORRUPT_RECORD', { path, expected });
};

export const text: Decoder<string> = (value, path) => (typeof value === 'string' ? value : fail(path, 'a string'));

export const bool: Decoder<boolean> = (value, path) => (typeof value === 'boolean' ? value : fail(path, 'a boolean'));

export const integer: Decoder<number> = (value, path) =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : fail(path, 'a whole number');

export const number: Decoder<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? value : fail(path, 'a number');

export const literal =
  <const T extends readonly (string | number)[]>(...allowed: T): Decoder<T[number]> =>
  (value, path) =>
    allowed.includes(value as T[number]) ? (value as T[number]) : fail(path, `one of ${allowed.join(', ')}`);

export const listOf =
  <T>(item: Decoder<T>): Decoder<readonly T[]> =>
  (value, path) =>
    Array.isArray(value) ? value.map((each, index) => item(each, `${path}[${index}]`)) : fail(path, 'an array');

export const mapOf =
  <T>(item: Decoder<T>): Decoder<Readonly<Record<string, T>>> =>
  (value, path) => {
    const entries = Object.entries(asObject(value, path)).map(([key, each]) => [key, item(each, `${path}.${key}`)]);
    return Object.fromEntries(entries) as Record<string, T>;
  };

/** `undefined` for an absent or null field (Go writes null for an empty list). */
export const optional =
  <T>(item: Decoder<T>): Decoder<T | undefined> =>
  (value, path) =>
    value === undefined || value === null ? undefined : item(value, path);

/** Known fields are decoded, unknown ones dropped; fields that decode to `undefined` are left out. */
export const record =
  <S extends Record<string, Decoder<unknown>>>(shape: S): Decoder<RecordOf<S>> =>
  (value, path) => {
    const source = asObject(value, path);
    const fields = Object.entries(shape)
      .map(
        ([key, decode]) =>
          [key, decode(Object.hasOwn(source, key) ? source[key] : undefined, `${path}.${key}`)] as const,
      )
      .filter(([, decoded]) => decoded !== undefined);
    return Object.fromEntries(fields) as RecordOf<S>;
  };

type OptionalKeys<S> = { [K in keyof S]: undefined extends Decoded<S[K]> ? K : never }[keyof S];
type RecordOf<S> = { readonly [K in Exclude<keyof S, OptionalKeys<S>>]: Decoded<S[K]> } & {
  readonly [K in OptionalKeys<S>]?: Exclude<Decoded<S[K]>, undefined>;
};

/** Parses `json` and decodes it; a syntax error is `CORRUPT_RECORD` too. */
export function decodeJson<T>(json: string, decoder: Decoder<T>, path: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return fail(path, 'JSON');
  }
  return decoder(value, path);
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, 'an object');
  return value as Record<string, unknown>;
}
