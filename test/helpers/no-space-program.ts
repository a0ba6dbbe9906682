// Runs in a mount namespace of its own: fills a small file system and tells what an engine on it says. Arguments: a
// mounted directory, references of a small and of a large image, as JSON.
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Engine, EngineError } from 'tscontainer';
import { runChecked } from './run-checked.js';
import { storedContent } from './stored-content.js';

export interface NoSpaceReport {
  readonly step: string;
  readonly code: string;
  readonly kind: string;
  readonly operand: string;
  readonly leftBehind: readonly string[];
}

const { directory, small, large } = JSON.parse(process.argv[2] ?? '') as Record<
  'directory' | 'small' | 'large',
  string
>;
await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', directory]);
const root = join(directory, 'root');
const offline = { network: 'none' } as const;
const engine = await Engine.open({ root, runRoot: join(directory, 'run') });
await engine.images.pull(small);
const stored = await storedContent(root);
const reports: NoSpaceReport[] = [];

async function attempt(step: string, work: () => Promise<unknown>): Promise<void> {
  const error: unknown = await work().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const left = (await storedContent(root)).filter((path) => !stored.includes(path));
  const named = EngineError.is(error) ? error : undefined;
  const leftBehind = left.filter((path) => !path.startsWith('content/blobs/'));
  const operand = JSON.stringify(named?.data ?? String(error));
  reports.push({ step, code: named?.code ?? 'none', kind: named?.kind ?? 'none', operand, leftBehind });
}

/** Takes all the space that there is. */
async function fill(): Promise<void> {
  for (const size of [1024 * 1024, 4096]) {
    for (let count = 0; ; count += 1) {
      try {
        await writeFile(join(directory, `fill-${size}-${count}`), Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        break;
      }
    }
  }
}

async function free(): Promise<void> {
  for (const name of await readdir(directory)) if (name.startsWith('fill-')) await rm(join(directory, name));
}

await attempt('pull', () => engine.images.pull(large));
const ready = await engine.containers.create({ image: small, command: ['true'], ...offline });
stored.push(...(await storedContent(root))); // with the layer of mount points that the image's containers share
await fill();
await attempt('create', () => engine.containers.create({ image: small, command: ['true'], name: 'full', ...offline }));
await attempt('run', () => engine.run(small, ['true'], offline));
await attempt('start', () => ready.start());
await attempt('fromHost', () => engine.images.fromHost({ binaries: ['/bin/busybox'], tag: 'lab/full' }));
await free();

const { stdout } = await engine.run(small, ['echo', 'space again'], offline);
await ready.start();
const { exitCode } = await ready.wait();
await engine.close();
await runChecked('umount', [directory]);
console.log(JSON.stringify({ reports, stdout, exitCode }));
