import { EngineError } from '../../core/errors/engine-error.js';

/**
 * Keys as images have them (`80/tcp`) of what EXPOSE lists: `80`, `53/udp`, `8000-8010/tcp`.
 *
 * @throws EngineError `INVALID_OPTION`.
 */
export function parseExposedPorts(words: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(words.flatMap((word) => portsOf(word).map((port) => [port, {}])));
}

function portsOf(word: string): readonly string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (match === null || first < 1 || last > 65_535 || last < first) {
    const expected = 'EXPOSE with ports like 80, 53/udp or 8000-8010';
    throw new EngineError('INVALID_OPTION', { option: 'changes', expected, got: word.slice(0, 200) });
  }
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}
