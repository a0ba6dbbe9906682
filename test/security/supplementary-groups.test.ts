import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container } from 'tscontainer';
import { file } from '../helpers/busybox-layer.js';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';

const offline = { network: 'none' } as const;

// CVE-2022-36109, CVE-2022-2989, CVE-2022-2995, CVE-2023-25173: a primary group that is missing from the list can be
// given up, and with it what the group is denied.
describe('the groups of a process', () => {
  let lab: EngineLab;
  let image: string;
  let long: Container;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image([
      file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n'),
      file(
        'etc/group',
        'root:x:0:\nuser:x:1000:\nextra:x:2000:user\nmore:x:3000:other,user\nnot:x:4000:users,x-user\n',
      ),
      { ...file('tmp/denied', 'secret\n', 0o604), uid: 0, gid: 1000 },
    ]);
    long = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
    await long.start();
  });
  after(() => lab[Symbol.asyncDispose]());

  const sorted = (text: string): string =>
    text
      .trim()
      .split(' ')
      .map(Number)
      .sort((a, b) => a - b)
      .join(' ');
  const cases = { user: '1000 2000 3000', '1000': '1000 2000 3000', 'user:5': '5', '': '0', '7:8': '8' };
  for (const [user, expected] of Object.entries(cases)) {
    test(`of ${JSON.stringify(user)} are ${expected}`, async () => {
      const kernel = ['sh', '-c', 'grep ^Groups: /proc/$$/status | cut -f2'];
      for (const { stdout } of [
        await long.exec(kernel, { user }),
        await lab.engine.run(image, kernel, { ...offline, user }),
      ]) {
        assert.equal(sorted(stdout), expected);
      }
    });
  }

  test('are added to by groupAdd, once each', async () => {
    const { stdout } = await lab.engine.run(image, ['id', '-G'], {
      ...offline,
      user: 'user',
      groupAdd: ['not', '2000', '9'],
    });
    assert.equal(sorted(stdout), '9 1000 2000 3000 4000');
  });

  test('deny what the file denies to the group, and nothing else', async () => {
    const read = ['cat', '/tmp/denied'];
    assert.equal((await lab.engine.run(image, read, { ...offline, user: 'user' })).exitCode, 1);
    assert.equal((await lab.engine.run(image, read, { ...offline, user: '7:8' })).stdout, 'secret\n');
  });
});
