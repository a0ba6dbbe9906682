import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { rejection } from '../helpers/rejection.js';

const offline = { network: 'none' } as const;
const ids = ['sh', '-c', 'echo $(id -u):$(id -g)'];

// CVE-2026-30892: `exec -u 1` became user 0. CVE-2024-40635: 4294967296 became user 0.
describe('a user by number is that user or an error, never root by accident', () => {
  let lab: EngineLab;
  let image: string;
  let long: Container;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    long = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
    await long.start();
  });
  after(() => lab[Symbol.asyncDispose]());

  const wrong = [
    ...['0x1', ' 1', '1 ', '+1', '01', '1e0', '00', '-0', '-1', '4294967296', '4294967295', '2147483648', '1.0', '1\n'],
    ...['1:4294967296', '1:-1', '1: 1', '1:1:1', '18446744073709551616', '９'],
  ];
  for (const user of wrong) {
    test(`${JSON.stringify(user)} is refused`, async () => {
      assert.equal((await rejection(long.exec(ids, { user }), 'INVALID_OPTION')).data.option, 'user');
      assert.equal(
        (await rejection(lab.engine.run(image, ids, { ...offline, user }), 'INVALID_OPTION')).data.option,
        'user',
      );
      await rejection(lab.engine.run(lab.image([], { User: user }), ids, offline), 'INVALID_OPTION');
    });
  }

  const right = {
    '1': '1:0',
    '1:': '1:0',
    'user:': '1000:1000',
    '1:1': '1:1',
    '1000': '1000:1000',
    user: '1000:1000',
    ':5': '0:5',
    '': '0:0',
  };
  for (const [user, expected] of Object.entries({ ...right, '2147483647': '2147483647:0', 'user:0': '1000:0' })) {
    test(`${JSON.stringify(user)} is ${expected}`, async () => {
      assert.equal((await long.exec(ids, { user })).stdout, `${expected}\n`);
      assert.equal((await lab.engine.run(image, ids, { ...offline, user })).stdout, `${expected}\n`);
    });
  }
});
