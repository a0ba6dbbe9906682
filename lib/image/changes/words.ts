/** Values by name. */
export type Variables = Readonly<Record<string, string>>;

/** Words between spaces; quotes hold a word together, a backslash takes the next character as it is. Both stay in the word. */
export function splitWords(text: string): readonly string[] {
  return text.match(/(?:\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"|[^\s])+/g) ?? [];
}

/**
 * A word without its quotes and backslashes, its variables replaced: `$NAME`, `${NAME}`, `${NAME:-word}` (when it is
 * unset or empty), `${NAME:+word}` (when it is not). Nothing is replaced between single quotes. A name that is unset is the
 * empty text.
 *
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
export function expandWord(word: string, variables: Variables): string {
  return word.replace(
    /'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])|\$(?:\{([^{}]*)\}|(\w+))/g,
    (match, single?: string, double?: string, escaped?: string, braced?: string, name?: string) => {
      if (single !== undefined) return single;
      if (double !== undefined) return expandQuoted(double, variables);
      if (escaped !== undefined) return escaped;
      return variable(braced ?? name ?? '', variables) ?? match;
    },
  );
}

/** Between double quotes a backslash takes only what would mean something else. */
function expandQuoted(text: string, variables: Variables): string {
  return text.replace(
    /\\(["\\$])|\$(?:\{([^{}]*)\}|(\w+))/g,
    (match, escaped?: string, braced?: string, name?: string) =>
      escaped ?? variable(braced ?? name ?? '', variables) ?? match,
  );
}

/** Undefined when this is no way to name a variable. */
function variable(expression: string, variables: Variables): string | undefined {
  const [, name = '', operator, other = ''] = /^(\w+)(?:(:[-+])([\s\S]*))?$/.exec(expression) ?? [];
  if (name === '') return undefined;
  const value = Object.hasOwn(variables, name) ? (variables[name] ?? '') : '';
  if (operator === ':-') return value === '' ? expandWord(other, variables) : value;
  if (operator === ':+') return value === '' ? '' : expandWord(other, variables);
  return value;
}
