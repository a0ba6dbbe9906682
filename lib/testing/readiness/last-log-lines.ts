import type { Container } from '../../container/container.js';

const LINES = 20;
/** They go into the message of an error. */
const LINE_CHARACTERS = 500;
const CONTROL_CHARACTERS = /(?!\t)\p{Cc}/gu;

/**
 * The end of a container's log, for people: at most 20 lines, shortened, without what moves a terminal's cursor. None when the
 * log cannot be read: this belongs to an error that is more important.
 */
export async function lastLogLines(container: Container): Promise<readonly string[]> {
  const lines: string[] = [];
  try {
    for await (const { text } of container.logs({ tail: LINES, onLost: () => undefined })) {
      lines.push(text.slice(0, LINE_CHARACTERS).replace(CONTROL_CHARACTERS, '\uFFFD'));
    }
  } catch {
    return lines;
  }
  return lines;
}
