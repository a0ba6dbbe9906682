import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { ociLab } from '../helpers/oci-bundle.js';
import { type OldRuntime, oldRuntimeCall } from '../helpers/old-runtime.js';
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

describe('the same by the command line of OCI runtimes', () => {
  const forms = ['0x1', ' 1', '+1', '01', '', '1:', ':1', '-1', '4294967295', '4294967296', '1:4294967296', '1e0'];

  test('refuses what is no plain number', async (context) => {
    const lab = await ociLab(context);
    await lab.configure(['sleep', '1000']);
    assert.equal((await lab.oci('run', '-d', 'x')).exitCode, 0);
    for (const form of forms) {
      const { exitCode, stdout } = await lab.oci('exec', '-u', form, 'x', 'id', '-u');
      assert.ok(exitCode !== 0 && stdout === '', JSON.stringify(form));
    }
    for (const [form, uid] of Object.entries({ '1': '1', '1:2': '1', '4294967294': '4294967294' })) {
      assert.equal((await lab.oci('exec', '-u', form, 'x', 'id', '-u')).stdout, `${uid}\n`, form);
    }
  });

  for (const runtime of ['runc', 'crun'] satisfies OldRuntime[]) {
    test(`${runtime} of Debian 12 makes 4294967296 root`, async (context) => {
      const lab = await ociLab(context);
      await lab.configure(['sleep', '1000']);
      const call = await oldRuntimeCall(runtime, lab);
      try {
        assert.equal((await call('run', '-d', 'x')).exitCode, 0);
        assert.equal((await call('exec', '-u', '4294967296', 'x', 'id', '-u')).stdout, '0\n');
      } finally {
        await call('delete', '--force', 'x');
      }
    });
  }
});
