/** One instruction of a Dockerfile. */
export interface Instruction {
  /** In upper case. */
  readonly name: string;
  /** What follows it, without space around it. */
  readonly rest: string;
}

/**
 * Instructions of texts that hold one or several lines each. A backslash at the end of a line joins it with the next;
 * empty lines and lines that begin with `#` are nothing.
 */
export function instructionsOf(texts: readonly string[]): readonly Instruction[] {
  return texts.flatMap((text) => logicalLines(text).map(toInstruction));
}

function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let begun = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:#|$)/.test(line)) continue; // inside a continued instruction, too
    const joined = begun + line;
    if (/\\[ \t]*$/.test(line)) {
      begun = joined.replace(/\\[ \t]*$/, '');
      continue;
    }
    lines.push(joined);
    begun = '';
  }
  return begun.trim() === '' ? lines : [...lines, begun];
}

function toInstruction(line: string): Instruction {
  const text = line.trim();
  const [name = ''] = text.split(/\s/, 1);
  return { name: name.toUpperCase(), rest: text.slice(name.length).trim() };
}
