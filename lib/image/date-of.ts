/** The time that a text of an image says; undefined for what is no time. */
export function dateOf(text: string | undefined): Date | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms);
}
