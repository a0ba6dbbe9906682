import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';

const offline = { network: 'none' } as const;
const show = ['sh', '-c', 'grep ^Cap /proc/self/status'];
const none = '0000000000000000';
/** Docker's fourteen. */
const usual = '00000000a80425fb';

function sets(status: string): Record<string, string> {
  return Object.fromEntries(
    status
      .trim()
      .split('\n')
      .map((line) => line.split(/:\s+/)),
  );
}

// CVE-2022-29162, CVE-2022-24769, CVE-2022-27650: inheritable capabilities pass through programs to whoever did not ask.
describe('capabilities of processes', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  for (const options of [{}, { user: 'user' }, { capAdd: ['ALL'] }, { capAdd: ['NET_ADMIN'], user: 'user' }]) {
    test(`are never inheritable or ambient: ${JSON.stringify(options)}`, async () => {
      const container = await lab.engine.containers.create({
        image,
        command: ['sleep', '1000'],
        ...offline,
        ...options,
      });
      await container.start();
      for (const { stdout } of [
        await container.exec(show),
        await lab.engine.run(image, show, { ...offline, ...options }),
      ]) {
        const { CapInh, CapAmb, CapEff } = sets(stdout);
        assert.deepEqual({ CapInh, CapAmb }, { CapInh: none, CapAmb: none });
        if ('user' in options) assert.equal(CapEff, none, 'another user than root has none');
      }
      await container.remove({ force: true });
    });
  }

  test('are the usual ones for root, at most', async () => {
    const { CapEff, CapPrm, CapBnd } = sets((await lab.engine.run(image, show, offline)).stdout);
    assert.equal(BigInt(`0x${CapBnd}`) & ~BigInt(`0x${usual}`), 0n);
    assert.deepEqual({ CapEff, CapPrm }, { CapEff: CapBnd, CapPrm: CapBnd });
    const { stdout } = await lab.engine.run(image, ['sh', '-c', 'touch /f && chown 1000 /f && stat -c %u /f'], offline);
    assert.equal(stdout, '1000\n', 'and they work');
  });
});
