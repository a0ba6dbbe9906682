/**
 * Matches a whole path with a pattern as Go's `path.Match` has it: `*` and `?` stand for anything but a slash, `[a-z]` and
 * `[^a-z]` for one character of a class, a backslash takes the next character as it is. A pattern that is malformed
 * matches itself only.
 *
 * Takes time proportional to the product of both lengths at most.
 *
 * @see https://pkg.go.dev/path#Match
 */
export function matchPath(pattern: string, path: string): boolean {
  const parts = parse(pattern);
  if (parts === undefined) return pattern === path;
  let at = 0;
  let from = 0;
  let star: { readonly part: number; position: number } | undefined;
  while (from < path.length || at < parts.length) {
    const part = parts[at];
    const character = path[from];
    if (part === 'any') {
      star = { part: at, position: from };
      at += 1;
    } else if (part !== undefined && character !== undefined && part(character)) {
      at += 1;
      from += 1;
    } else if (star !== undefined && star.position < path.length && path[star.position] !== '/') {
      // The last star takes one character more: whatever an earlier one could take instead, this one can, too.
      star.position += 1;
      from = star.position;
      at = star.part + 1;
    } else return false;
  }
  return true;
}

type Part = 'any' | ((character: string) => boolean);

function parse(pattern: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  const token = /\*|\?|\[(\^?)((?:\\[\s\S]|[^\]\\])+)\]|\\([\s\S])|([^[\\])/y;
  while (token.lastIndex < pattern.length) {
    const match = token.exec(pattern);
    if (match === null) return undefined;
    const [text, negation, characters, escaped, plain] = match;
    if (text === '*') parts.push('any');
    else if (text === '?') parts.push((each) => each !== '/');
    else if (characters !== undefined) parts.push(classOf(characters, negation === '^'));
    else parts.push((each) => each === (escaped ?? plain));
  }
  return parts;
}

function classOf(characters: string, isNegated: boolean): (character: string) => boolean {
  const ranges = [...characters.matchAll(/(\\?[\s\S])(?:-(\\?[^\\]|\\[\s\S]))?/g)].map(([, low = '', high]) => {
    const first = low.slice(-1);
    return { first, last: high?.slice(-1) ?? first };
  });
  return (each) => each !== '/' && ranges.some(({ first, last }) => each >= first && each <= last) !== isNegated;
}
