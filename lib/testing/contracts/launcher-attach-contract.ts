import assert from 'node:assert/strict';
import { join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Attachment, AttachmentRequest } from '../../runtime/attachment.js';
import { logFile } from '../../runtime/log-files.js';
import type { LauncherContract, LauncherUnderTest } from './launcher-under-test.js';
import { textOf } from './text-of.js';

/** What every {@link Launcher} does for those who attach to a process that it serves. */
export function launcherAttachContract(contract: LauncherContract): void {
  contract('an attacher gets the output, both streams end, and then comes the exit', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('copy', [], { output: served, stdin: 'attached-once' });
    assert.deepEqual([process.stdin, process.stdout, process.stderr], [undefined, undefined, undefined]);
    const attached = await attach(tested, { socket });
    const [stdout, stderr] = [textOf(attached.stdout), textOf(attached.stderr)];
    attached.stdin?.write('typed');
    await stdout.includes('typed');
    attached.stdin?.end(' and done');
    assert.deepEqual([await stdout.all, await stderr.all], ['typed and done', 'end\n']);
    assert.deepEqual(await attached.ended, { reason: 'exited', exit: await process.exited });
    await process.released;
  });

  contract('several attachers see the same, and each may type', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('copy', [], { output: served, stdin: 'attached' });
    const attached = await Promise.all([1, 2, 3].map(() => attach(tested, { socket })));
    const outputs = attached.map(({ stdout }) => textOf(stdout));
    for (const [index, each] of attached.entries()) {
      each.stdin?.write(`(${index})`);
      await Promise.all(outputs.map((output) => output.includes(`(${index})`)));
    }
    process.signal(9);
    assert.deepEqual(await Promise.all(outputs.map(({ all }) => all)), Array(3).fill('(0)(1)(2)'));
    const exit = await process.exited;
    for (const each of attached) assert.deepEqual(await each.ended, { reason: 'exited', exit });
    await process.released;
  });

  contract('who leaves does not disturb the others, and may come back', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('copy', [], { output: served, stdin: 'attached' });
    const [leaver, stayer] = [await attach(tested, { socket }), await attach(tested, { socket })];
    const stayed = textOf(stayer.stdout);
    const left = textOf(leaver.stdout);
    leaver.stdin?.write('a');
    await Promise.all([stayed.includes('a'), left.includes('a')]);
    leaver.end({ reason: 'detached' });
    leaver.end({ reason: 'detached' });
    assert.deepEqual(await leaver.ended, { reason: 'detached' });
    assert.equal(await left.all, 'a');
    stayer.stdin?.write('b');
    await stayed.includes('b');
    const back = await attach(tested, { socket });
    const returned = textOf(back.stdout);
    back.stdin?.write('c');
    await returned.includes('c');
    process.signal(9);
    assert.deepEqual([await stayed.all, await returned.all], ['abc', 'c']);
    await process.released;
  });

  contract('with hold nothing is lost before the attachers are there', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('talk', [], { output: { ...served, hold: true } });
    const attached = await attach(tested, { socket });
    process.proceed();
    assert.deepEqual([await textOf(attached.stdout).all, await textOf(attached.stderr).all], ['out\n', 'err\n']);
    assert.equal((await attached.ended).reason, 'exited');
    await process.released;
  });

  contract('a megabyte on each stream arrives to the byte, before the exit', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('flood', ['1000'], { output: { ...served, hold: true } });
    const attached = await attach(tested, { socket, whenSlow: 'block' });
    const outputs = Promise.all([textOf(attached.stdout).all, textOf(attached.stderr).all]);
    process.proceed();
    const [stdout, stderr] = await outputs;
    assert.ok(stdout === 'o'.repeat(1_000_000) && stderr === 'e'.repeat(1_000_000));
    assert.equal((await attached.ended).reason, 'exited');
    await process.released;
  });

  contract('a megabyte of input arrives to the byte', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('copy', [], { output: served, stdin: 'attached-once' });
    const attached = await attach(tested, { socket, whenSlow: 'block' });
    const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
    const output = textOf(attached.stdout);
    attached.stderr?.resume();
    attached.stdin?.end(bytes);
    assert.ok(Buffer.compare(await output.bytes, bytes) === 0);
    await process.released;
  });

  contract('the end of one’s input is the container’s only if it shall be so', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('copy', [], { output: served, stdin: 'attached' });
    const [first, second] = [await attach(tested, { socket }), await attach(tested, { socket })];
    const output = textOf(second.stdout);
    first.stdin?.end('first ');
    await output.includes('first ');
    second.stdin?.write('second');
    await output.includes('second');
    process.signal(9);
    await process.released;

    const once = await launch('copy', [], { output: served, stdin: 'attached-once' });
    const leaver = await attach(tested, { socket });
    leaver.end({ reason: 'detached' });
    assert.equal((await once.exited).exitCode, 0, 'who leaves has ended his input');
    await once.released;
  });

  contract('whoever asks only for output has no input, and disturbs none', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('copy', [], { output: served, stdin: 'attached-once' });
    const watcher = await attach(tested, { socket, stdin: false, stderr: false });
    assert.deepEqual([watcher.stdin, watcher.stderr], [undefined, undefined]);
    watcher.end({ reason: 'detached' });
    const attached = await attach(tested, { socket });
    attached.stdin?.end('still open');
    assert.equal(await textOf(attached.stdout).all, 'still open');
    await process.released;
  });

  slownessContract(contract);
  terminalContract(contract);

  contract('where nobody listens nobody can attach', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const isUnreachable = (error: unknown): boolean =>
      EngineError.is(error, 'NOT_ATTACHABLE') && error.data.socket === socket;
    await assert.rejects(attach(tested, { socket }), isUnreachable);
    const process = await launch('exit', ['0'], { output: served });
    await process.released;
    await assert.rejects(attach(tested, { socket }), isUnreachable);
  });

  contract('what was logged before and what comes live are one whole', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const log = { prefix: join(tested.directory, 'log.'), maxBytes: 2 ** 30, maxFiles: 2 };
    const process = await launch('copy', [], { output: { ...served, log }, stdin: 'attached-once' });
    const first = await attach(tested, { socket });
    const output = textOf(first.stdout);
    first.stdin?.write('before');
    await output.includes('before');
    const second = tested.launcher.attachment({ ...everything, socket });
    const { logPosition } = await second.connect();
    assert.equal(logPosition, BigInt('before'.length + 20), 'one record');
    first.stdin?.write(' after');
    await output.includes('after');
    await second.replay('stdout', Buffer.from('before'));
    second.flow();
    await textOf(second.stdout).includes('before after');
    process.signal(9);
    await process.released;
    assert.ok(logFile(log.prefix, 0n).endsWith('log.0000000000000000'));
  });
}

function slownessContract(contract: LauncherContract): void {
  contract('an attacher that does not read is let go, the process and the others go on', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('flood', ['4000'], { output: { ...served, hold: true } });
    const slow = await attach(tested, { socket, bufferBytes: 65_536 });
    const quick = await attach(tested, { socket, whenSlow: 'block' });
    const outputs = Promise.all([textOf(quick.stdout).all, textOf(quick.stderr).all]);
    process.proceed();
    assert.equal((await process.exited).exitCode, 0);
    const sizes = (await outputs).map(({ length }) => length);
    assert.deepEqual(sizes, [4_000_000, 4_000_000]);
    const got = await bytesUntilFailure(slow.stdout);
    assert.ok(got.size > 0 && got.size < 4_000_000, `${got.size} bytes`);
    assert.ok(EngineError.is(got.failure, 'ATTACH_OVERRUN') && got.failure.data.bufferBytes === 65_536);
    await assert.rejects(slow.ended, (error) => error === got.failure);
    await process.released;
  });

  contract('a process waits for an attacher for whom it shall', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('flood', ['4000'], { output: { ...served, hold: true } });
    const slow = await attach(tested, { socket, bufferBytes: 0, whenSlow: 'block', stderr: false });
    process.proceed();
    let size = 0;
    for await (const chunk of slow.stdout ?? []) {
      size += (chunk as Buffer).length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(size, 4_000_000);
    assert.equal((await slow.ended).reason, 'exited');
    await process.released;
  });
}

function terminalContract(contract: LauncherContract): void {
  const terminal = { columns: 81, rows: 23 };

  contract('an attacher gives the terminal another size', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('terminal', [], { output: { ...served, hold: true }, terminal, stdin: 'attached' });
    const attached = await attach(tested, { socket, stderr: false });
    process.proceed();
    const output = textOf(attached.stdout);
    await output.includes('23 81');
    attached.resize(132, 50);
    await output.includes('50 132');
    assert.equal((await process.exited).exitCode, 5);
    await process.released;
    attached.resize(1, 1); // too late is nothing
  });

  contract('what an attacher types reaches the terminal, whose input does not end', async (launch, tested) => {
    const { socket, served } = socketOf(tested);
    const process = await launch('lines', [], { output: served, terminal, stdin: 'attached-once' });
    const first = await attach(tested, { socket, stderr: false });
    const output = textOf(first.stdout);
    first.stdin?.end('one\n');
    await output.includes('got one');
    const second = await attach(tested, { socket, stderr: false });
    const more = textOf(second.stdout);
    second.stdin?.write('two\n');
    await more.includes('got two');
    second.stdin?.write('\x04');
    assert.equal((await process.exited).exitCode, 3);
    await Promise.all([output.all, more.all]);
    await process.released;
  });
}

const everything = {
  stdin: true,
  stdout: true,
  stderr: true,
  bufferBytes: 1024 * 1024,
  whenSlow: 'disconnect',
} as const;

function socketOf({ directory }: LauncherUnderTest): { socket: string; served: { socket: string } } {
  const socket = join(directory, 'socket');
  return { socket, served: { socket } };
}

async function attach(
  { launcher }: LauncherUnderTest,
  request: Partial<AttachmentRequest> & Pick<AttachmentRequest, 'socket'>,
): Promise<Attachment> {
  const attachment = launcher.attachment({ ...everything, ...request });
  await attachment.connect();
  attachment.flow();
  return attachment;
}

async function bytesUntilFailure(
  stream: AsyncIterable<unknown> | undefined,
): Promise<{ readonly size: number; readonly failure: unknown }> {
  let size = 0;
  try {
    for await (const chunk of stream ?? []) size += (chunk as Buffer).length;
  } catch (failure) {
    return { size, failure };
  }
  throw new Error('it has not failed');
}
