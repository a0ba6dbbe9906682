import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Checkpointer, DumpFailure, type OutsideResources } from '#lib/runtime/checkpointer.js';
import { CriuCheckpointer } from '#lib/runtime/criu/criu-checkpointer.js';
import { rejection } from '../../helpers/rejection.js';
import { temporaryDirectory } from '../../helpers/temporary-directory.js';

const outside: OutsideResources = {
  mounts: ['/etc/hosts', '/proc/keys'],
  network: 77,
  streams: [
    { fd: 0, name: 'file[18:3]' },
    { fd: 1, name: 'pipe:[5]' },
  ],
};
const common = { outside, tcpEstablished: false, fileLocks: false };

describe('criu', () => {
  test('that is not there is named with the places where it was looked for', async () => {
    const { data } = await rejection(new CriuCheckpointer('criu-that-is-nowhere').check(), 'CRIU_MISSING');
    assert.equal(data.program, 'criu-that-is-nowhere');
    assert.ok(data.searched.includes('/usr/sbin'));
  });

  test('that does not fit the kernel is refused in its own words', async () => {
    await using temporary = await temporaryDirectory();
    const criu = fake(temporary.path, 'echo "Error (criu/vdso.c:1): vdso: no such area" >&2; exit 1');
    const { data } = await rejection(criu.check(), 'CRIU_UNUSABLE');
    assert.equal(data.reason, 'vdso: no such area');
  });

  test('reads no options from files of the host and gets no variable of this process', async () => {
    await using temporary = await temporaryDirectory();
    const directory = temporary.path;
    const criu = fake(directory, `echo "$*" >>${directory}/said; env >${directory}/env`);
    await criu.check();
    await criu.dump({ ...common, images: directory, pid: 9, leaveRunning: false });
    const lines = readFileSync(join(directory, 'said'), 'utf8').trim().split('\n');
    for (const line of lines) assert.match(line, /--no-default-config/);
    const names = readFileSync(join(directory, 'env'), 'utf8').match(/^[A-Z]+(?==)/gm);
    assert.deepEqual(
      names?.filter((name) => !['PATH', 'PWD', 'SHLVL', 'OLDPWD'].includes(name)),
      [],
    );
    const { arguments: restore } = criu.restoreCommand(restoring(directory));
    assert.ok(restore.includes('--no-default-config'));
  });

  test('is told what belongs to the world outside', async () => {
    await using temporary = await temporaryDirectory();
    const directory = temporary.path;
    const criu = fake(directory, `echo "$*" >${directory}/said`);
    await criu.dump({ ...common, images: directory, pid: 9, leaveRunning: true, tcpEstablished: true });
    const said = readFileSync(join(directory, 'said'), 'utf8');
    for (const each of ['mnt[/etc/hosts]:/etc/hosts', 'net[77]:network', 'file[18:3]'])
      assert.ok(said.includes(`--external ${each}`), said);
    assert.match(said, /--tree 9 .*--leave-running .*--tcp-established/);
    const { arguments: restore } = criu.restoreCommand(restoring(directory));
    const line = restore.join(' ');
    for (const each of ['--external mnt[/proc/keys]:/dev/null', '--inherit-fd fd[1]:pipe:[5]', 'fd[7]:network'])
      assert.ok(line.includes(each), line);
  });

  test('that fails tells its first complaint, not the last', async () => {
    await using temporary = await temporaryDirectory();
    const directory = temporary.path;
    const log = '(00.1) Warn  (a.c:1): b\\n(00.2) Error (c.c:7): a socket\\n(00.3) Error (d.c:1): Dumping FAILED.\\n';
    const criu = fake(directory, `printf '${log}' >${directory}/dump.log; exit 1`);
    const dump = criu.dump({ ...common, images: directory, pid: 9, leaveRunning: false });
    await assert.rejects(dump, (error) => error instanceof DumpFailure && error.message === 'a socket');
  });

  test('is killed after an abort', async () => {
    await using temporary = await temporaryDirectory();
    const criu = fake(temporary.path, 'exec sleep 1000');
    const stop = new AbortController();
    const dump = criu.dump({ ...common, images: '/', pid: 9, leaveRunning: false, signal: stop.signal });
    stop.abort();
    await assert.rejects(dump, { name: 'AbortError' });
  });
});

const restoring = (directory: string) => ({
  ...common,
  ...{ images: directory, root: '/root-target', directory: '/r' },
  sources: new Map([
    ['/etc/hosts', '/run/x/hosts'],
    ['/proc/keys', '/dev/null'],
  ]),
});

function fake(directory: string, script: string): Checkpointer {
  mkdirSync(join(directory, 'bin'));
  const path = join(directory, 'bin', 'criu');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return new CriuCheckpointer(path);
}
