import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AttachOptions } from '#lib/container/attach-options.js';
import type { Container } from '#lib/container/container.js';
import { textOf } from '#lib/testing/contracts/text-of.js';
import { again, type MemoryLab, openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

interface Echo extends MemoryLab {
  readonly container: Container;
}

/** A container that writes back what it reads. */
async function echo(context: TestContext, options = {}): Promise<Echo> {
  const lab = await openMemoryLab(context);
  return { ...lab, container: await lab.create(['copy'], { openStdin: true, ...options }) };
}

test('who attaches before the start sees the first byte, in every run', async (context) => {
  const { create } = await openMemoryLab(context);
  const container = await create(['talk']);
  for (let round = 0; round < 2; round++) {
    const attached = await container.attach();
    assert.deepEqual([attached.tty, attached.stdin], [false, undefined]);
    await container.start();
    assert.deepEqual([await textOf(attached.stdout).all, await textOf(attached.stderr).all], ['out\n', 'err\n']);
    assert.deepEqual(await attached.wait(), { reason: 'exited', exit: await container.wait() });
  }
});

test('any engine on the root attaches to what runs, and each attacher sees the same', async (context) => {
  const { container, other, engine } = await echo(context);
  await container.start();
  const mine = await container.attach();
  const theirs = await (await again(await other(), container)).attach();
  const same = await (await again(engine, container)).attach({ stdin: false, stderr: false });
  const outputs = [mine, theirs, same].map(({ stdout }) => textOf(stdout));
  theirs.stdin?.write('hello');
  await Promise.all(outputs.map((output) => output.includes('hello')));
  assert.deepEqual([same.stdin, same.stderr], [undefined, undefined]);
  await container.stop({ timeoutMs: 0 });
  assert.equal((await theirs.wait()).reason, 'exited');
});

test('the log comes first, then what is new, each byte once', async (context) => {
  const { container } = await echo(context, { stdinOnce: true });
  await container.start();
  const writer = await container.attach();
  const written = textOf(writer.stdout);
  writer.stdin?.write('one ');
  await written.includes('one ');
  const reader = await container.attach({ logs: true, stdin: false });
  const read = textOf(reader.stdout);
  await read.includes('one ');
  writer.stdin?.write('two ');
  await read.includes('one two ');
  writer.stdin?.end('three');
  assert.equal(await read.all, 'one two three');
  assert.equal(await textOf(reader.stderr).all, 'end\n');
  assert.equal((await reader.wait()).reason, 'exited');
});

test('logs of earlier runs come before the output of the next', async (context) => {
  const { create } = await openMemoryLab(context);
  const container = await create(['talk']);
  await container.start();
  await container.wait();
  const attached = await container.attach({ logs: true });
  const output = textOf(attached.stdout);
  await container.start();
  assert.equal(await output.all, 'out\nout\n');
  assert.equal(await textOf(attached.stderr).all, 'err\nerr\n');
});

test('detaching, by call or by keys, ends the streams and not the container', async (context) => {
  const { container } = await echo(context, { tty: true });
  await container.start();
  for (const detachKeys of [undefined, 'a,ctrl-b']) {
    const attached = await container.attach({ ...(detachKeys && { detachKeys }) });
    assert.deepEqual([attached.tty, attached.stderr], [true, undefined]);
    const output = textOf(attached.stdout);
    attached.stdin?.write('typed\x10');
    await output.includes('typed');
    attached.stdin?.write(detachKeys === undefined ? '\x11' : 'a\x02');
    assert.deepEqual(await attached.wait(), { reason: 'detached' });
    assert.equal(await output.all, detachKeys === undefined ? 'typed' : 'typed\x10');
  }
  const attached = await container.attach();
  await attached.detach();
  await attached.detach();
  assert.deepEqual(await attached.wait(), { reason: 'detached' });
  assert.equal(container.status, 'running');
});

test('without a terminal no keys are special unless asked for', async (context) => {
  const { container } = await echo(context);
  await container.start();
  const plain = await container.attach();
  plain.stdin?.write('\x10\x11');
  await textOf(plain.stdout).includes('\x10\x11');
  const special = await container.attach({ detachKeys: 'ctrl-p,ctrl-q' });
  special.stdin?.write('\x10\x11');
  assert.deepEqual(await special.wait(), { reason: 'detached' });
});

test('with stdinOnce the end of input ends that of the container, without it does not', async (context) => {
  const once = await echo(context, { stdinOnce: true });
  const early = await once.container.attach();
  early.stdin?.end('all there is'); // before it runs
  await once.container.start();
  assert.equal(await textOf(early.stdout).all, 'all there is');
  assert.equal((await once.container.wait()).exitCode, 0);

  const { container } = await echo(context);
  await container.start();
  (await container.attach()).stdin?.end();
  const second = await container.attach();
  const output = textOf(second.stdout);
  second.stdin?.write('still open');
  await output.includes('still open');
});

test('an abort ends the attachment with its reason, before and after the start', async (context) => {
  const { container } = await echo(context);
  for (const startFirst of [false, true]) {
    if (startFirst) await container.start();
    const controller = new AbortController();
    const attached = await container.attach({ signal: controller.signal });
    const waiting = attached.wait();
    controller.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    await assert.rejects(async () => {
      for await (const _ of attached.stdout ?? []);
    }, /enough/);
  }
  await assert.rejects(container.attach({ signal: AbortSignal.abort(new Error('early')) }), /early/);
  const attached = await container.attach();
  await assert.rejects(attached.wait({ signal: AbortSignal.abort(new Error('impatient')) }), /impatient/);
  assert.equal(container.status, 'running');
  await attached.detach();
});

test('closing the engine, or removing the container, ends what is attached', async (context) => {
  const { container, other, create } = await echo(context, { lifetime: 'detached' });
  await container.start();
  const engine = await other();
  const attached = await (await again(engine, container)).attach();
  await engine.close();
  await rejection(attached.wait(), 'CLOSED');
  assert.equal(container.status, 'running');
  const unstarted = await create(['copy']);
  const waiting = await unstarted.attach();
  await unstarted.remove();
  await rejection(waiting.wait(), 'NO_SUCH_CONTAINER');
  await rejection(unstarted.attach(), 'NO_SUCH_CONTAINER');
  await container.remove({ force: true });
});

test('a start that fails leaves those who wait for it waiting', async (context) => {
  const { create, launcher } = await openMemoryLab(context);
  const container = await create(['late']);
  const attached = await container.attach();
  await rejection(container.start(), 'PROGRAM_NOT_FOUND');
  launcher.programs.set('late', ({ stdout }) => void stdout.write('here'));
  await container.start();
  assert.equal(await textOf(attached.stdout).all, 'here');
});

test('options that make no sense are refused before anything is attached', async (context) => {
  const { container, create } = await echo(context);
  const closed = await create(['hang'], { log: 'none' });
  const refused: readonly [Container, AttachOptions, string][] = [
    [closed, { stdin: true }, 'stdin'],
    [closed, { logs: true }, 'logs'],
    [closed, { stdout: false, stderr: false }, 'stdout'],
    [container, { detachKeys: 'no key' }, 'detachKeys'],
    [container, { bufferBytes: -1 }, 'bufferBytes'],
    [container, { bufferBytes: '65m' }, 'bufferBytes'],
    [container, { whenSlow: 'panic' as 'block' }, 'whenSlow'],
    [container, { stdout: 'yes' as unknown as boolean }, 'stdout'],
  ];
  for (const [each, options, option] of refused) {
    assert.equal((await rejection(each.attach(options), 'INVALID_OPTION')).data.option, option);
  }
});

test('a size that is none is refused, any other reaches the program', async (context) => {
  const { create } = await openMemoryLab(context);
  const container = await create(['terminal'], { tty: { columns: 100, rows: 30 } });
  const attached = await container.attach();
  const output = textOf(attached.stdout);
  await container.start();
  await output.includes('30 100');
  assert.throws(() => attached.resize({ columns: 65_536, rows: 1 }), /tty\.columns/);
  attached.resize({ columns: 1, rows: 2 });
  await output.includes('2 1');
});
