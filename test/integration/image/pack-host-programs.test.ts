import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { packHostPrograms } from '#lib/image/from-host/pack-host-programs.js';
import { runProgram } from '../../helpers/run-program.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

test('packed programs run in a root of nothing else', async (context) => {
  const directory = await scopedDirectory(context);
  const packed = await packHostPrograms({
    binaries: ['sh', 'ls', 'cat', 'ip', 'busybox', process.execPath],
    searchPath: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  });
  const archive = join(directory, 'layer.tar');
  await pipeline(packed.tar(), createWriteStream(archive));
  const root = join(directory, 'root');
  await mkdir(root);
  const extracted = await runProgram('tar', ['xpf', archive, '-C', root]);
  assert.equal(extracted.exitCode, 0, extracted.stderr);

  const shell = (script: string) => runProgram('chroot', [root, '/bin/sh', '-c', script]);
  const node = await shell(`${process.execPath} -p "process.version + ' ' + require('fs').readdirSync('/').length"`);
  assert.match(node.stdout, new RegExp(`^${process.version.replaceAll('.', '\\.')} \\d+\n$`), node.stderr);
  assert.match((await shell('ls -ld /tmp')).stdout, /^drwxrwxrwt/);
  assert.match((await shell('cat /etc/passwd')).stdout, /^root:x:0:0:/);
  assert.match((await shell('ip -V')).stdout, /^ip utility/);
  assert.equal((await shell('busybox echo static')).stdout, 'static\n');
});
