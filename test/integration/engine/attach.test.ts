import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EngineError } from 'tscontainer';
import { textOf } from '#lib/testing/contracts/text-of.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { startOwner } from '../../helpers/owner.js';
import { memoryOf, supervisorOf } from '../../helpers/supervisor.js';

const offline = { network: 'none' } as const;
const patience = { timeout: 60_000 };
const tty = { columns: 101, rows: 31 };

describe('attaching', { timeout: 240_000 }, () => {
  let lab: EngineLab;
  let image: string;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  const create = (command: readonly string[], options: object = {}) =>
    lab.engine.containers.create({ image, command, ...offline, ...options });

  test('a container with a terminal has it as its streams, its console, and in its environment', patience, async () => {
    const script = 'tty; stty size; tty </dev/console; echo $TERM; ls -l /dev/console /dev/pts; echo err >&2';
    const { stdout, stderr } = await lab.engine.run(image, ['sh', '-c', script], { ...offline, tty });
    const [name, size, console, term, ...rest] = stdout.split('\r\n');
    assert.deepEqual([name, size, console, term], ['/dev/pts/0', '31 101', '/dev/console', 'xterm']);
    assert.match(rest.join('\n'), /^crw--w---- +1 root +5 .*\/dev\/console$/m);
    assert.match(rest.join('\n'), /^err$/m);
    assert.equal(stderr, '');
    const user = await lab.engine.run(image, ['sh', '-c', 'echo again >/dev/pts/0; stty size'], {
      ...offline,
      tty: true,
      user: '1000',
    });
    assert.equal(user.stdout, 'again\r\n24 80\r\n', 'it belongs to the user, and has Docker’s customary size');
  });

  test('a program on a terminal ends by its keys', patience, async () => {
    const container = await create(['sh', '-c', 'echo ready; exec sleep 1000'], { tty: true, openStdin: true });
    const attached = await container.attach();
    const output = textOf(attached.stdout);
    await container.start();
    await output.includes('ready');
    attached.resize({ columns: 7, rows: 9 });
    const { stdout } = await container.exec(['sh', '-c', 'stty size </dev/pts/0']);
    assert.equal(stdout, '9 7\n');
    await container.stop({ timeoutMs: 0 });
    assert.equal((await attached.wait()).reason, 'exited');
    await container.remove();
  });

  test('job control and interrupts work in a shell', patience, async () => {
    const container = await create(['sh', '-i'], { tty: true, openStdin: true, env: { PS1: '% ' } });
    const attached = await container.attach();
    const output = textOf(attached.stdout);
    await container.start();
    await output.includes('% ');
    attached.stdin?.write('sleep 1000\n');
    await foreground(container, 'sleep');
    attached.stdin?.write('\x03');
    await output.includes('^C');
    attached.stdin?.write('echo got-$?\n');
    await output.includes('got-130');
    attached.stdin?.write('sleep 2000\n');
    await foreground(container, 'sleep');
    attached.stdin?.write('\x1a');
    await output.includes('Stopped');
    attached.stdin?.write('kill -9 %1\nwait\nexit 9\nexit 9\n');
    const end = await attached.wait();
    assert.equal(end.reason === 'exited' && end.exit.exitCode, 9);
    await container.remove();
  });

  test(
    'after a kill of its owner a detached container is attached to, with all of its output, by the next process',
    patience,
    async () => {
      const owner = await startOwner(lab.options, [
        {
          image,
          command: ['sh', '-c', 'echo early; cat; echo late; exit 7'],
          openStdin: true,
          stdinOnce: true,
          lifetime: 'detached',
          ...offline,
        },
      ]);
      await owner.kill();
      const container = await lab.engine.containers.get(owner.containers[0]?.id ?? '');
      const attached = await container.attach({ logs: true });
      attached.stdin?.end('from afar\n');
      assert.equal(await textOf(attached.stdout).all, 'early\nfrom afar\nlate\n');
      const end = await attached.wait();
      assert.equal(end.reason === 'exited' && end.exit.exitCode, 7);
      assert.equal((await container.wait()).exitCode, 7);
      await container.remove();
    },
  );

  test(
    'a program that closes its input tells the writer, and one that does not read holds no one else up',
    patience,
    async () => {
      const closing = await create(['sh', '-c', 'exec <&-; echo closed; exec sleep 1000'], { openStdin: true });
      const writer = await closing.attach();
      const failed = new Promise<Error>((resolve) => writer.stdin?.once('error', resolve));
      const output = textOf(writer.stdout);
      await closing.start();
      await output.includes('closed');
      writer.stdin?.write('nobody reads this');
      assert.match(String(await failed), /EPIPE/);
      await closing.remove({ force: true });

      const deaf = await create(['sh', '-c', 'trap "echo alive" USR1; while :; do sleep 0.05; done'], {
        openStdin: true,
      });
      await deaf.start();
      const talker = await deaf.attach();
      const heard = textOf(talker.stdout);
      talker.stdin?.write(Buffer.alloc(4_000_000, 'x'));
      talker.resize({ columns: 1, rows: 1 });
      await deaf.kill('USR1');
      await heard.includes('alive');
      assert.ok(memoryOf(supervisorOf(lab.options.runRoot, deaf.id)) < 600_000, 'what waits is bounded');
      await deaf.remove({ force: true });
      await talker.wait();
    },
  );

  test('a slow attacher costs the supervisor what was agreed and the container nothing', patience, async () => {
    const script = 'dd if=/dev/zero bs=65536 count=640 2>/dev/null | tr "\\0" x; echo; echo done; exec sleep 1000';
    const container = await create(['sh', '-c', script]);
    const slow = await container.attach({ bufferBytes: '2m', stderr: false });
    await container.start();
    let lines = 0;
    for await (const { text } of container.logs({ follow: true })) {
      lines += text.length;
      if (text === 'done') break;
    }
    assert.equal(lines, 640 * 65_536 + 4, 'the log went on');
    const memory = memoryOf(supervisorOf(lab.options.runRoot, container.id));
    assert.ok(memory < 3_000_000, `${memory} bytes`);
    await assert.rejects(
      async () => {
        for await (const _ of slow.stdout ?? []);
      },
      (error) => EngineError.is(error, 'ATTACH_OVERRUN'),
    );
    await assert.rejects(slow.wait(), (error) => EngineError.is(error, 'ATTACH_OVERRUN'));
    await container.remove({ force: true });
  });

  test('when the supervisor is killed its attachers are told', patience, async () => {
    const container = await create(['sleep', '1000']);
    await container.start();
    const attached = await container.attach();
    const waiting = assert.rejects(attached.wait(), (error) => EngineError.is(error, 'SHIM_FAILED'));
    const reading = assert.rejects(textOf(attached.stdout).all, (error) => EngineError.is(error, 'SHIM_FAILED'));
    process.kill(supervisorOf(lab.options.runRoot, container.id), 'SIGKILL');
    await Promise.all([waiting, reading]);
    assert.equal((await container.wait()).exitCode, 137);
    await container.remove();
  });

  test('an idle supervisor is as small after much output as before', patience, async () => {
    const script = 'read -r _; dd if=/dev/zero bs=65536 count=100 2>/dev/null; exec sleep 1000';
    const container = await create(['sh', '-c', script], { openStdin: true });
    await container.start();
    const supervisor = supervisorOf(lab.options.runRoot, container.id);
    const before = memoryOf(supervisor);
    const attached = await container.attach({ whenSlow: 'block' });
    attached.stdin?.write('go\n');
    let size = 0;
    for await (const chunk of attached.stdout ?? []) {
      size += (chunk as Buffer).length;
      if (size === 100 * 65_536) break;
    }
    await attached.detach();
    let now = memoryOf(supervisor);
    for (let attempt = 0; now > before + 24_576 && attempt < 100; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      now = memoryOf(supervisor);
    }
    assert.ok(now <= before + 24_576, `${before} bytes before, ${now} after`);
    await container.remove({ force: true });
  });

  /** Until the terminal's foreground process is this one: before that, keys are for the shell. */
  async function foreground(container: Awaited<ReturnType<typeof create>>, name: string): Promise<void> {
    // Fields 5 and 8 of proc(5), stat: the process' group, and the one in the terminal's foreground.
    const look = `for each in /proc/[0-9]*/stat; do set -- $(cat $each); [ "$2 $5" = "(${name}) $8" ] && exit 0; done`;
    const script = `while :; do ${look}; sleep 0.02; done`;
    assert.equal((await container.exec(['sh', '-c', script], { timeoutMs: 20_000 })).exitCode, 0);
  }
});
