import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { runProgram } from '../../helpers/run-program.js';

/** A block device with something in it: the first RAM disk. */
const disk = '/dev/ram0';

describe('devices on cgroup v2', () => {
  let lab: EngineLab;
  let image: string;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  const run = (script: string, options = {}) =>
    lab.engine.run(image, ['sh', '-c', script], { network: 'none', ...options });

  test('the disk can be read outside', async () => {
    const read = await runProgram('dd', [`if=${disk}`, 'of=/dev/null', 'bs=512', 'count=1']);
    assert.equal(read.exitCode, 0, read.stderr);
  });

  test('a node for a disk can be made but neither read nor written', async () => {
    const made = await run('mknod /disk b 1 0 && ls -l /disk && dd if=/disk of=/dev/null bs=512 count=1');
    assert.match(made.stdout, /^brw.* 1, +0 /m);
    assert.match(made.stderr, /Operation not permitted/);
    const written = await run('mknod /disk b 1 0 && echo x > /disk');
    assert.match(written.stderr, /Operation not permitted/);
  });

  test('a node for the kernel’s memory or log is of no use, whatever its owner and mode', async () => {
    for (const number of ['1 1', '1 11', '10 183']) {
      const result = await run(`mknod -m 666 /node c ${number} && cat /node | head -c 1`);
      assert.match(result.stderr, /Operation not permitted/, number);
    }
  });

  test('the usual devices work, as they are and made anew', async () => {
    const script = [
      'echo gone > /dev/null',
      'head -c 4 /dev/zero | wc -c',
      'head -c 4 /dev/urandom | wc -c',
      'echo full > /dev/full || echo no space',
      'mknod /null c 1 3 && echo gone > /null && cat /null && echo made',
    ].join('; ');
    const result = await run(script);
    assert.deepEqual(result.stdout.trim().split('\n'), ['4', '4', 'no space', 'made']);
  });

  test('all capabilities do not open a disk', async () => {
    const result = await run('mknod /disk b 1 0; cat /disk > /dev/null', { capAdd: ['ALL'], seccomp: 'unconfined' });
    assert.match(result.stderr, /Operation not permitted/);
  });

  test('a process that joins is under the same rules', async () => {
    await using container = await lab.engine.containers.create({ image, network: 'none', command: ['sleep', '600'] });
    await container.start();
    const result = await container.exec(['sh', '-c', 'mknod /disk b 1 0; cat /disk; echo ok > /dev/null && echo fine']);
    assert.match(result.stderr, /Operation not permitted/);
    assert.equal(result.stdout, 'fine\n');
  });
});
