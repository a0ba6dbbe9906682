/** The text of a small file, undefined when it does not exist. */
export type ReadText = (path: string) => Promise<string | undefined>;

/** A whole number that is all of a text but white space. */
export function wholeNumber(text: string | undefined): bigint | undefined {
  const digits = text?.trim();
  return digits !== undefined && /^\d{1,20}$/.test(digits) ? BigInt(digits) : undefined;
}

export async function readWhole(path: string, readText: ReadText): Promise<bigint | undefined> {
  return wholeNumber(await readText(path));
}

/** The number behind `key` in a text of `key number` lines. */
export function keyedNumber(text: string | undefined, key: string): bigint | undefined {
  const line = text?.split('\n').find((each) => each.startsWith(`${key} `));
  return wholeNumber(line?.slice(key.length + 1));
}

/** All `key number` lines of a text. */
export function keyedNumbers(text: string): ReadonlyMap<string, number> {
  const lines = text.matchAll(/^(\w+) (\d{1,20})$/gm);
  return new Map([...lines].map(([, key = '', digits]) => [key, Number(digits)]));
}

export function millisecondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1_000_000;
}
