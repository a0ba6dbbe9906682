import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { file } from '../helpers/busybox-layer.js';
import { compileProbe } from '../helpers/compile-probe.js';
import { openEngineLab } from '../helpers/engine-lab.js';

const shim = fileURLToPath(new URL(`../../../native/prebuilt/linux-${process.arch}/tscontainer-shim`, import.meta.url));
const digest = (): string => createHash('sha256').update(readFileSync(shim)).digest('hex');

// CVE-2019-5736: a program of the image that is a link to /proc/self/exe makes the runtime execute itself inside, where
// root of the container can open it for writing.
test('the shim, executed inside a container, cannot be written to', async () => {
  await using lab = await openEngineLab();
  const image = lab.image([
    file('probe', await compileProbe('attack-probe'), 0o755),
    file('trap', '#!/proc/self/exe supervise\n', 0o755),
  ]);
  const before = digest();
  const container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], network: 'none' });
  await container.start();
  const attacker = await container.spawn(['/probe', 'overwrite']);
  assert.ok(attacker.stdout !== undefined);
  const lines: string[] = [];
  const reader = createInterface({ input: attacker.stdout });
  const ready = new Promise((resolve) => reader.once('line', resolve));
  reader.on('line', (line) => lines.push(line));
  await ready;
  for (let attempt = 0; attempt < 200 && !(attempt > 30 && lines.includes('found')); attempt += 1) {
    const name = attempt % 2 === 0 ? '/proc/self/exe' : '/trap';
    await container.exec([name, 'supervise'], { timeoutMs: 2_000 }).catch(() => undefined); // how it ends is its own affair
  }
  for (const command of [['/proc/self/exe', 'supervise'], ['/trap']]) {
    const options = { network: 'none', timeoutMs: 2_000 } as const;
    await lab.engine.run(image, command, options).catch(() => undefined); // as a container's first process too
  }
  attacker.kill('SIGTERM');
  await attacker.wait();
  assert.ok(lines.includes('found'), 'the attack has seen the shim run inside');
  assert.match(lines.at(-1) ?? '', / broken 0$/);
  assert.equal(digest(), before);

  assert.equal((await container.exec(['echo', 'honest'])).stdout, 'honest\n');
  assert.equal((await lab.engine.run(image, ['true'], { network: 'none' })).exitCode, 0);
  await container.remove({ force: true });
});

// The same through process 1, where that is our own init: it runs the shim's file for as long as the container does.
test('the shim, as init of a container, cannot be written to', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  const before = digest();
  const write =
    'printf x >> /proc/1/exe; echo "append $?"; cp /bin/busybox /proc/1/exe; echo "replace $?"; rm -f /proc/1/exe';
  for (const capAdd of [[], ['SYS_PTRACE', 'DAC_OVERRIDE']]) {
    const options = { init: true, network: 'none', capAdd } as const;
    const { stdout } = await lab.engine.run(image, ['sh', '-c', write], options);
    assert.equal(stdout, 'append 1\nreplace 1\n', JSON.stringify(capAdd));
    assert.equal(digest(), before);
    const honest = await lab.engine.run(image, ['sh', '-c', 'cat /proc/1/comm; echo honest'], options);
    assert.equal(honest.stdout, 'tscontainer-ini\nhonest\n');
  }
});
