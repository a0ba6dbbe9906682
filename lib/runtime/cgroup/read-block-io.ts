import type { CgroupFiles } from './cgroup.js';
import type { ReadText } from './cgroup-text.js';

/** Block I/O, counted where requests are handed to devices: what the page cache answers is not in here. */
export interface BlockIoCounters {
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
}

/** Block I/O of all devices together, and of each. */
export interface BlockIoStats extends BlockIoCounters {
  readonly devices: readonly BlockDeviceStats[];
}

/** Block I/O of one device. */
export interface BlockDeviceStats extends BlockIoCounters {
  readonly major: number;
  readonly minor: number;
}

/** Undefined where nothing is counted. */
export async function readBlockIo(files: CgroupFiles['io'], readText: ReadText): Promise<BlockIoStats | undefined> {
  if (files === undefined) return undefined;
  const devices = files.version === 'v2' ? await readV2(files.stat, readText) : await readV1(files, readText);
  if (devices === undefined) return undefined;
  const sum = (key: keyof BlockIoCounters): number => devices.reduce((total, each) => total + each[key], 0);
  return {
    readBytes: sum('readBytes'),
    writtenBytes: sum('writtenBytes'),
    reads: sum('reads'),
    writes: sum('writes'),
    devices,
  };
}

/** Lines like `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …`. */
async function readV2(path: string, readText: ReadText): Promise<BlockDeviceStats[] | undefined> {
  const text = await readText(path);
  return text?.split('\n').flatMap((line) => {
    const [, major, minor] = /^(\d+):(\d+) /.exec(line) ?? [];
    if (major === undefined) return [];
    const of = (key: string): number => Number(new RegExp(`\\s${key}=(\\d+)`).exec(line)?.[1] ?? 0);
    return {
      major: Number(major),
      minor: Number(minor),
      readBytes: of('rbytes'),
      writtenBytes: of('wbytes'),
      reads: of('rios'),
      writes: of('wios'),
    };
  });
}

/** Lines like `8:0 Read 4096` in two files. */
async function readV1(
  files: Extract<CgroupFiles['io'], { readonly version: 'v1' }>,
  readText: ReadText,
): Promise<BlockDeviceStats[] | undefined> {
  const [bytes, operations] = await Promise.all([readText(files.bytes), readText(files.operations)]);
  if (bytes === undefined || operations === undefined) return undefined;
  const numbers = [...new Set([...bytes.matchAll(/^\d+:\d+(?= )/gm)].map(([device]) => device))];
  return numbers.map((device) => {
    const of = (text: string, kind: string): number =>
      Number(new RegExp(`^${device} ${kind} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    const [major, minor] = device.split(':').map(Number);
    return {
      major: major ?? 0,
      minor: minor ?? 0,
      readBytes: of(bytes, 'Read'),
      writtenBytes: of(bytes, 'Write'),
      reads: of(operations, 'Read'),
      writes: of(operations, 'Write'),
    };
  });
}
