/** One way to authenticate that a server offers. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longer headers are no honest challenges. */
const maxLength = 16 * 1024;

const separators = /[\s,]*/y;
const token = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y;
const equals = /[ \t]*=[ \t]*/y;
const quoted = /"((?:[^"\\]|\\.)*)"/sy;
const token68 = /[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;

/**
 * Parses a WWW-Authenticate header, several challenges and quoted commas included. What follows a syntax error is
 * ignored.
 *
 * @see RFC 9110, section 11.6.1
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const scan = new Scanner(header.slice(0, maxLength));
  for (;;) {
    scan.take(separators);
    const name = scan.take(token)?.[0].toLowerCase();
    if (name === undefined) return challenges;
    if (scan.take(equals) === undefined) {
      challenges.push({ scheme: name, parameters: new Map() });
      scan.take(token68);
      continue;
    }
    const value = scan.take(quoted)?.[1]?.replace(/\\(.)/gs, '$1') ?? scan.take(token)?.[0];
    const parameters = challenges.at(-1)?.parameters;
    if (value === undefined || parameters === undefined) return challenges;
    if (!parameters.has(name)) parameters.set(name, value);
  }
}

class Scanner {
  #at = 0;
  constructor(readonly text: string) {}

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }
}
