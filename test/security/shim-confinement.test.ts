import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { shimPath, withDirectory } from '../helpers/layer-fixtures.js';
import { tarHeader } from '../helpers/tar-builder.js';

test('while it reads an archive, the shim sees only its target and can do little', () =>
  withDirectory(async (directory) => {
    const tree = join(directory, 'fs');
    await mkdir(tree);
    const child = spawn(shimPath, ['unpack', tree], { stdio: ['pipe', 'ignore', 'ignore', 'pipe'] });
    try {
      const content = Buffer.alloc(2 * 1024 * 1024);
      // More than socket and shim can buffer: once it is written, the shim has begun to read, so it is confined.
      await new Promise((resolve) =>
        child.stdin?.write(Buffer.concat([tarHeader({ name: 'f', size: 2 ** 30 }), content]), resolve),
      );
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
      assert.equal(field('NoNewPrivs'), '1');
      assert.equal(field('Seccomp'), '2');
      // chown, dac_override, dac_read_search, fowner, fsetid, sys_admin (trusted.* attributes), mknod, setfcap
      assert.equal(Number.parseInt(field('CapEff'), 16), 0b1000_1000_0010_0000_0000_0000_0001_1111);
      assert.equal(field('CapBnd'), field('CapPrm'));
      assert.equal(field('CapInh'), '0000000000000000');
      assert.notEqual(await readlink(`/proc/${child.pid}/ns/mnt`), await readlink('/proc/self/ns/mnt'));
      assert.deepEqual(await readdir(`/proc/${child.pid}/root`), ['f']);
      assert.equal((await readFile(`/proc/${child.pid}/mountinfo`, 'utf8')).trim().split('\n').length, 1);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  }));
