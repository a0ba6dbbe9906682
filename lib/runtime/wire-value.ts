/** A value of an operation's payload, by the letter that stands for it in a signature. */
export type WireValue =
  | readonly ['u', number]
  | readonly ['q', bigint]
  | readonly ['s', string]
  | readonly ['b', Uint8Array]
  | readonly ['l', readonly string[]];

export const u = (value: number): WireValue => ['u', value];
export const q = (value: bigint): WireValue => ['q', value];
export const s = (value: string): WireValue => ['s', value];
export const b = (value: Uint8Array): WireValue => ['b', value];
export const l = (value: readonly string[]): WireValue => ['l', value];

/** A list of whole numbers as bytes, each a signed word of 32 bits. */
export const int32s = (values: readonly number[]): Uint8Array => new Uint8Array(new Int32Array(values).buffer);
