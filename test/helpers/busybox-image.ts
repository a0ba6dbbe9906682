import { copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImageLayout, makeImageLayout } from './image-layout.js';
import { runChecked } from './run-checked.js';
import { cached } from './test-cache.js';

const directories = [
  'bin',
  'dev',
  'etc',
  'home',
  'proc',
  'root',
  'sys',
  'tmp',
  'usr/bin',
  'usr/sbin',
  'usr/share',
  'var',
  'run',
];

/** A text of 80-character lines in {@link busyboxRoot}, for tests that need much output. */
export const busyboxText = { path: '/usr/share/text', bytes: 1_000_000 };

/** A root file system with busybox and its applets (a static program), users root and nobody, and nothing else. */
export async function busyboxRoot(): Promise<string> {
  return cached('busybox-root-2', fillBusyboxRoot);
}

/** The same as an image of one layer, `/bin/sh` its command: made in less than a second. */
export async function busyboxImage(): Promise<ImageLayout> {
  const directory = await cached('busybox-image-2', async (made) => {
    const root = await busyboxRoot();
    const layer = join(made, 'layer.tar');
    await runChecked('tar', [
      '-C',
      root,
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '-cf',
      layer,
      '.',
    ]);
    await makeImageLayout(join(made, 'layout'), 'latest', [layer], {
      command: ['/bin/sh'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    await rm(layer);
  });
  return { path: join(directory, 'layout'), tag: 'latest' };
}

async function fillBusyboxRoot(root: string): Promise<void> {
  for (const directory of directories) await mkdir(join(root, directory), { recursive: true });
  await runChecked('chmod', ['1777', join(root, 'tmp')]);
  const program = (await runChecked('sh', ['-c', 'command -v busybox'])).trim();
  await copyFile(program, join(root, 'bin', 'busybox'));
  const applets = (await runChecked(program, ['--list'])).trim().split('\n');
  for (const applet of applets.filter((name) => name !== 'busybox'))
    await symlink('busybox', join(root, 'bin', applet));
  await writeFile(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n');
  await writeFile(
    join(root, busyboxText.path),
    `${'a line of text as a program prints it. '.repeat(2).padEnd(79, '.')}\n`.repeat(12_500),
  );
}
