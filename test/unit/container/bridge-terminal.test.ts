import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AttachedStreams, bridgeTerminal } from 'tscontainer';
import { ScreenModes } from '#lib/container/terminal/screen-modes.js';
import type { AttachmentEnd } from '#lib/runtime/attachment.js';
import { Deferred } from '#lib/util/deferred.js';

const exit = { exitCode: 3, signal: undefined, oomKilled: false, finishedAt: new Date(0) };

/** A program with a terminal, and the terminal of a user. */
function sides() {
  const ended = new Deferred<AttachmentEnd>();
  const sizes: string[] = [];
  const stdout = new PassThrough();
  const program = new AttachedStreams(
    {
      stdin: new PassThrough(),
      stdout,
      stderr: undefined,
      connect: async () => ({ logPosition: undefined }),
      replay: async () => undefined,
      flow: () => undefined,
      ended: ended.promise,
      resize: (columns, rows) => void sizes.push(`${columns}x${rows}`),
      end: (how) => ('failure' in how ? ended.reject(how.failure) : ended.resolve(how)),
    },
    Buffer.alloc(0),
    true,
  );
  const modes: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    isRaw: false,
    setRawMode: (raw: boolean) => modes.push(raw),
  });
  const screen = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  const stderr = new PassThrough();
  return { ended, sizes, stdout, program, modes, stdin, screen, local: { stdin, stdout: screen, stderr } };
}

const signals = ['exit', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGTSTP', 'SIGCONT'];
const listeners = (): number[] => signals.map((name) => process.listenerCount(name));

test('it relays both ways with sizes, and restores mode, screen and listeners at the end', async () => {
  const { ended, sizes, stdout, program, modes, stdin, screen, local } = sides();
  const before = listeners();
  const end = bridgeTerminal(program, local);
  assert.deepEqual([modes, sizes], [[true], ['80x24']]);
  stdin.end('typed');
  await once(program.stdin as Writable, 'finish');
  screen.emit('resize');
  assert.equal(sizes.length, 2);
  stdout.end('\x1b[?1049hfull screen');
  ended.resolve({ reason: 'exited', exit });
  assert.deepEqual(await end, { reason: 'exited', exit });
  assert.deepEqual([modes, listeners()], [[true, false], before]);
  assert.equal(String(screen.read()), '\x1b[?1049hfull screen\x1b[?1049l\x1b[0m');
  assert.deepEqual([screen.writable, screen.listenerCount('resize')], [true, 0]);
});

test('an abort and an error of the attachment restore, too', async () => {
  for (const reason of [new Error('aborted'), new Error('overrun')]) {
    const { ended, program, modes, stdin, local } = sides();
    const before = listeners();
    const abort = new AbortController();
    const end = bridgeTerminal(program, { ...local, signal: abort.signal });
    if (reason.message === 'aborted') abort.abort(reason);
    else ended.reject(reason);
    await assert.rejects(end, reason);
    assert.deepEqual([modes, listeners(), stdin.listenerCount('data')], [[true, false], before, 0]);
    assert.equal(stdin.isPaused(), true);
  }
});

test('detach keys end it, and what was typed before them is passed on', async () => {
  const { program, stdin, modes, local } = sides();
  const end = bridgeTerminal(program, { ...local, detachKeys: 'ctrl-p,ctrl-q' });
  stdin.write('ab\x10\x11');
  assert.deepEqual(await end, { reason: 'detached' });
  assert.deepEqual(modes, [true, false]);
});

test('a program can be bridged again and again', async () => {
  const { program, stdout, stdin, screen, local } = sides();
  const counts = (): number[] =>
    [program.stdin, stdout, stdin, screen].flatMap((stream) =>
      ['error', 'data', 'close', 'drain', 'end'].map((name) => stream?.listenerCount(name) ?? 0),
    );
  const round = async (text: string): Promise<void> => {
    const end = bridgeTerminal(program, { ...local, detachKeys: 'ctrl-p,ctrl-q' });
    stdin.write(`${text}\x10\x11`);
    assert.deepEqual(await end, { reason: 'detached' });
  };
  await round('0');
  const before = counts();
  for (let index = 1; index < 20; index += 1) await round(String(index));
  assert.deepEqual(counts(), before);
});

test('a terminal that takes nothing holds the program up', async () => {
  const { stdout, program, local } = sides();
  let release = (): void => undefined;
  const slow = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => {
      release = done;
    },
  });
  const abort = new AbortController();
  const end = bridgeTerminal(program, { ...local, stdout: slow, signal: abort.signal });
  stdout.write('first');
  await setImmediate();
  assert.equal(stdout.isPaused(), true);
  release();
  await setImmediate();
  assert.equal(stdout.isPaused(), false);
  abort.abort();
  await assert.rejects(end);
});

test('screen modes are followed across pieces, and only those that were changed are undone', () => {
  const modes = new ScreenModes();
  for (const piece of ['\x1b[?10', '49h\x1b[?25l', '\x1b=', '\x1b[?2004h\x1b[?2004l']) modes.see(Buffer.from(piece));
  assert.equal(modes.undo(), '\x1b>\x1b[?1049l\x1b[?25h\x1b[0m');
});
