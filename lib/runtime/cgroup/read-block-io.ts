import type { CgroupFiles } from './cgroup.js';

/** Counted where requests are handed to devices: what the page cache answers is not in here. */
export interface BlockIoStats {
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
}

/** The sum over all devices; undefined where nothing is counted. */
export async function readBlockIo(
  files: CgroupFiles['io'],
  readText: (path: string) => Promise<string | undefined>,
): Promise<BlockIoStats | undefined> {
  if (files === undefined) return undefined;
  if (files.format === 'io.stat') {
    const text = await readText(files.path);
    return text === undefined ? undefined : fromPairs(text);
  }
  const [bytes, operations] = await Promise.all([readText(files.bytes), readText(files.operations)]);
  if (bytes === undefined || operations === undefined) return undefined;
  return {
    readBytes: sumOf(bytes, 'Read'),
    writtenBytes: sumOf(bytes, 'Write'),
    reads: sumOf(operations, 'Read'),
    writes: sumOf(operations, 'Write'),
  };
}

/** Lines like `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …`. */
function fromPairs(text: string): BlockIoStats {
  const sum = (key: string): number =>
    [...text.matchAll(new RegExp(`\\s${key}=(\\d+)`, 'g'))].reduce((total, [, digits]) => total + Number(digits), 0);
  return { readBytes: sum('rbytes'), writtenBytes: sum('wbytes'), reads: sum('rios'), writes: sum('wios') };
}

/** Lines like `8:0 Read 4096`. */
function sumOf(text: string, kind: string): number {
  const lines = text.matchAll(new RegExp(`^\\d+:\\d+ ${kind} (\\d+)$`, 'gm'));
  return [...lines].reduce((total, [, digits]) => total + Number(digits), 0);
}
