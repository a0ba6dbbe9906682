import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ociLab } from '../../helpers/oci-bundle.js';

const main = fileURLToPath(new URL('../../../../dist/cli/oci/main.js', import.meta.url));

test('exec joins a container: its files, processes, host name, rights', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sleep', '1000']);
  assert.equal((await lab.oci('run', '-d', 'a')).exitCode, 0);
  const inside = await lab.oci('exec', 'a', 'sh', '-c', 'cat /proc/sys/kernel/hostname /proc/1/comm; echo $$ > /tmp/x');
  assert.deepEqual([inside.exitCode, inside.stdout], [0, 'lab\nsleep\n'], inside.stderr);
  const user = await lab.oci(
    'exec',
    '-u',
    '1000:1000',
    '-e',
    'A=1',
    '--cwd',
    '/tmp',
    'a',
    'sh',
    '-c',
    'id -u; id -g; echo $A $HOME $PWD',
  );
  assert.equal(user.stdout, '1000\n1000\n1 /home/user /tmp\n');
  const status = await lab.oci('exec', 'a', 'cat', '/proc/self/status');
  assert.match(status.stdout, /CapEff:\s0{16}/);
  assert.match(status.stdout, /NoNewPrivs:\s1/);
});

test('exec passes on exit codes and failures', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sleep', '1000']);
  assert.equal((await lab.oci('run', '-d', 'b')).exitCode, 0);
  assert.equal((await lab.oci('exec', 'b', 'sh', '-c', 'exit 42')).exitCode, 42);
  assert.equal((await lab.oci('exec', 'b', '/missing')).exitCode, 127);
  assert.equal((await lab.oci('exec', 'b', '/etc/passwd')).exitCode, 126);
  assert.equal((await lab.oci('exec', '--cwd', '/missing', 'b', 'sh')).exitCode, 1);
  assert.equal((await lab.oci('exec', 'missing', 'sh')).exitCode, 1);
});

test('exec takes a process from a file, and may leave it running', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sleep', '1000']);
  assert.equal((await lab.oci('run', '-d', 'c')).exitCode, 0);
  const file = join(lab.bundle, 'process.json');
  const env = ['PATH=/bin'];
  await writeFile(file, JSON.stringify({ args: ['id', '-u'], cwd: '/', env, user: { uid: 12, gid: 0 } }));
  assert.equal((await lab.oci('exec', '--process', file, 'c')).stdout, '12\n');
  const pidFile = join(lab.bundle, 'pid');
  assert.equal((await lab.oci('exec', '-d', '--pid-file', pidFile, 'c', 'sleep', '999')).exitCode, 0);
  const pids = JSON.parse((await lab.oci('ps', '--format', 'json', 'c')).stdout) as number[];
  assert.equal(pids.length, 2);
});

test('descriptors reach the program only when asked for, under their own numbers', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['ls', '/proc/1/fd']);
  const fd = openSync('/dev/null', 'r');
  context.after(() => closeSync(fd));
  const list = async (...words: string[]): Promise<string> => {
    const child = spawn(process.execPath, [main, '--root', lab.root, 'run', ...words, 'd'], {
      cwd: lab.bundle,
      stdio: ['ignore', 'pipe', 'inherit', 'ignore', fd, 'ignore', fd],
    });
    let text = '';
    for await (const chunk of child.stdout ?? []) text += String(chunk);
    return text.split('\n').filter(Boolean).join(' ');
  };
  // The caller has 4 and 6. One number more is the directory that `ls` reads: the first that is free.
  assert.equal(await list(), '0 1 2 3');
  assert.equal(await list('--preserve-fds', '2'), '0 1 2 3 4');
  assert.equal(await list('--preserve-fds', '100'), '0 1 2 3 4 6');
});
