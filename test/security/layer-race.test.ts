import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runShim } from '#lib/layers/shim/run-shim.js';
import { shimPath, withDirectory } from '../helpers/layer-fixtures.js';
import { tarMember, tarOf } from '../helpers/tar-builder.js';
import { compareListings, listTree } from '../helpers/tree-listing.js';

const flip = `
const { mkdirSync, renameSync, symlinkSync, rmSync } = require('node:fs');
const [tree, outside] = process.argv.slice(1);
mkdirSync(tree + '/other');
symlinkSync(outside, tree + '/trap');
process.stdout.write('ready');
for (;;) for (const [from, to] of [['d', 'real'], ['trap', 'd'], ['d', 'trap'], ['real', 'd']])
  try { renameSync(tree + '/' + from, tree + '/' + to); } catch {}
`;

test('CVE-2025-47290: swapping a directory for a link while a layer unpacks lets nothing out', () =>
  withDirectory(async (directory) => {
    const [tree, outside] = [join(directory, 'fs'), join(directory, 'outside')];
    await mkdir(join(tree, 'd'), { recursive: true });
    await mkdir(outside);
    await writeFile(join(outside, 'file'), 'canary');
    const before = await listTree(outside);
    const attacker = spawn(process.execPath, ['-e', flip, tree, outside], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await once(attacker.stdout, 'data');
      const members = Array.from({ length: 400 }, (_, index) => [
        { name: `d/file${index % 7}`, content: 'x', mode: 0o4777 },
        { name: `e${index % 3}`, content: 'y' },
        { name: 'd/.wh.file' },
        { name: 'd/', type: '5', mode: 0o777 },
      ]).flat();
      const archive = tarOf(...members.map((member) => tarMember(member)));
      for (let round = 0; round < 20; round++) await runShim(shimPath, ['unpack', tree], { input: archive });
    } finally {
      attacker.kill('SIGKILL');
      await once(attacker, 'close');
    }
    assert.deepEqual(compareListings(before, await listTree(outside)), []);
  }));

test('the same layer unpacks when nobody interferes', () =>
  withDirectory(async (directory) => {
    const tree = join(directory, 'fs');
    await mkdir(tree);
    const archive = tarOf({ name: 'd/file', content: 'x' }, { name: 'd/', type: '5', mode: 0o777 });
    const report = await runShim(shimPath, ['unpack', tree], { input: archive });
    assert.equal(report.failure, undefined);
  }));
