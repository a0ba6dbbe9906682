import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { file } from '../helpers/busybox-layer.js';
import { compileProbe } from '../helpers/compile-probe.js';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';

const offline = { network: 'none' } as const;
const [EPERM, ENOSYS] = ['1', '38'];

// CVE-2022-0185 and its kind, CVE-2026-31431: parts of the kernel that containers do not need are where it breaks. Each
// call counts in the 32-bit entry of the kernel too, where socket(2) has another number and a form with its arguments in memory.
describe('system calls that a container must not have', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image([file('probe', await compileProbe('attack-probe'), 0o755)]);
  });
  after(() => lab[Symbol.asyncDispose]());

  const check = (stdout: string): void => {
    const results = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')),
    );
    const others = { ...results } as Record<string, string>;
    // Not every kernel lets 32-bit programs run: then the probe has none of their calls, and the unit tests of the filter must do.
    const of32 = 'socket32-inet' in others ? ['socket32-inet'] : [];
    const expected = {
      '0': ['getppid', 'socket-inet', ...of32],
      [ENOSYS]: ['clone3', ...of32.map(() => 'socketcall32-alg')],
    };
    for (const [errno, names] of Object.entries(expected)) {
      for (const name of names) {
        assert.equal(others[name], errno, name);
        delete others[name];
      }
    }
    for (const [name, errno] of Object.entries(others)) assert.equal(errno, EPERM, name);
    assert.ok(Object.keys(others).length >= 15);
  };

  test('are refused to root and to others, in the first process and in a joining one', async () => {
    for (const user of ['root', 'user']) {
      check((await lab.engine.run(image, ['/probe', 'calls'], { ...offline, user })).stdout);
      const options = { image, command: ['sleep', '1000'], user, noNewPrivileges: true, ...offline };
      const container = await lab.engine.containers.create(options);
      await container.start();
      check((await container.exec(['/probe', 'calls'])).stdout);
      await container.remove({ force: true });
    }
  });

  test('reach the kernel where the caller wants so', async () => {
    const { stdout } = await lab.engine.run(image, ['/probe', 'calls'], { ...offline, seccomp: 'unconfined' });
    assert.match(stdout, /^unshare-user 0$/m);
    const { stdout: status } = await lab.engine.run(image, ['grep', '^Seccomp:', '/proc/self/status'], offline);
    assert.equal(status, 'Seccomp:\t2\n');
  });
});
