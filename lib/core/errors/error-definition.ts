/** What a caller branches on when the exact code does not matter. */
export type ErrorKind =
  | 'not-found'
  | 'conflict'
  | 'invalid'
  | 'denied'
  | 'unavailable'
  | 'unsupported'
  | 'corrupt'
  | 'internal';

/** One row of an error table: the kind, and a sentence made from the typed data (lower case, no full stop). */
export interface ErrorDefinition<Data> {
  readonly kind: ErrorKind;
  readonly message: (data: Data) => string;
}

/** A table with one definition for every code of `Codes`. */
export type ErrorTable<Codes> = { readonly [Code in keyof Codes]: ErrorDefinition<Codes[Code]> };
