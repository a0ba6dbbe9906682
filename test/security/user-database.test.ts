import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { rejection } from '../helpers/rejection.js';

const offline = { network: 'none' } as const;

// CVE-2024-9676, CVE-2026-47262: files of the container that the engine reads as root, changed while it runs.
describe('a running container that replaces its user database', () => {
  let lab: EngineLab;
  let long: Container;
  before(async () => {
    lab = await openEngineLab();
    long = await lab.engine.containers.create({ image: lab.image(), command: ['sleep', '1000'], ...offline });
    await long.start();
  });
  after(() => lab[Symbol.asyncDispose]());

  const traps: Readonly<Record<string, string>> = {
    'a FIFO': 'mkfifo F',
    'an endless device': 'ln -s /dev/zero F',
    'a huge file': 'truncate -s 1073741824 F',
    'a directory': 'mkdir F',
    'a circle': 'ln -s F F',
  };
  for (const path of ['/etc/passwd', '/etc/group']) {
    for (const [name, script] of Object.entries(traps)) {
      test(`${path} as ${name} ends an exec with an error, soon`, async () => {
        const inside = `cp ${path} /tmp/kept; rm ${path}; ${script.replaceAll('F', path)}`;
        assert.equal((await long.exec(['sh', '-c', inside])).exitCode, 0);
        const started = performance.now();
        const error = await rejection(long.exec(['true'], { user: 'user' }), 'NO_SUCH_USER');
        assert.ok(performance.now() - started < 2_000);
        assert.ok(error.message.includes(path), error.message);
        // Numbers alone need no group file; the database of users is looked into for the home directory.
        const repair = `rm -r ${path}; cp /tmp/kept ${path}`;
        if (path === '/etc/group') await long.exec(['sh', '-c', repair], { user: '0:0' });
        else {
          await long.remove({ force: true });
          long = await lab.engine.containers.create({ image: lab.image(), command: ['sleep', '1000'], ...offline });
          await long.start();
        }
        assert.equal((await long.exec(['id', '-u'], { user: 'user' })).stdout, '1000\n');
      });
    }
  }

  test('a link to a file of the host finds the file of the container', async () => {
    const link = 'cp /etc/passwd /etc/shadow; rm /etc/passwd; ln -s ../../../../../etc/shadow /etc/passwd';
    await long.exec(['sh', '-c', link]);
    assert.equal((await long.exec(['id', '-u'], { user: 'user' })).stdout, '1000\n');
  });
});
