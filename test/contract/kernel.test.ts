import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { KoffiKernel } from '#lib/kernel/koffi/koffi-kernel.js';
import { MemoryKernel } from '#lib/kernel/memory/memory-kernel.js';
import { type KernelFixture, kernelContract } from '#lib/testing/contracts/kernel-contract.js';
import { runProgram } from '../helpers/run-program.js';

const asMemory = (kernel: unknown): MemoryKernel => {
  assert.ok(kernel instanceof MemoryKernel);
  return kernel;
};

kernelContract({
  name: 'memory',
  open: () => new MemoryKernel(),
  startProcess: (kernel) => {
    const ended = new Promise<number>((resolve) => asMemory(kernel).startProcess(77, resolve));
    return { pid: 77, ended };
  },
  takePort: async (kernel, protocol) => {
    const { takenPorts } = asMemory(kernel);
    takenPorts.add(`${protocol}:4000`);
    return { port: 4000, release: async () => void takenPorts.delete(`${protocol}:4000`) };
  },
});

const takeRealPort: KernelFixture['takePort'] = async (_, protocol) => {
  if (protocol === 'tcp') {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const close = async (): Promise<void> => {
      server.close();
      await once(server, 'close');
    };
    return { port: (server.address() as AddressInfo).port, release: close };
  }
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const close = async (): Promise<void> => {
    socket.close();
    await once(socket, 'close');
  };
  return { port: socket.address().port, release: close };
};

kernelContract({
  name: 'koffi',
  open: () => new KoffiKernel(),
  startProcess: () => {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    assert.ok(child.pid !== undefined);
    const ended = once(child, 'exit').then(([, name]) => constants.signals[name as NodeJS.Signals] ?? 0);
    return { pid: child.pid, ended };
  },
  takePort: takeRealPort,
});

describe('the kernel itself', () => {
  const kernel = new KoffiKernel();

  test('bytes go through a pipe, which no other program inherits', async () => {
    const { readFd, writeFd } = kernel.pipe();
    try {
      writeSync(writeFd, 'through');
      const buffer = Buffer.alloc(16);
      assert.equal(buffer.toString('utf8', 0, readSync(readFd, buffer)), 'through');
      const { stdout } = await runProgram('ls', ['/proc/self/fd']);
      const inherited = stdout.trim().split('\n');
      assert.ok(!inherited.includes(String(readFd)) && !inherited.includes(String(writeFd)), stdout);
    } finally {
      kernel.close(readFd);
      kernel.close(writeFd);
    }
  });

  test('a sealed copy can be executed and by no means be changed', async () => {
    const fd = kernel.sealedCopy('echo', readFileSync('/bin/echo'));
    const path = `/proc/${process.pid}/fd/${fd}`;
    const isRefused = (error: unknown): boolean =>
      error instanceof Error && 'code' in error && ['EPERM', 'EACCES', 'ETXTBSY'].includes(String(error.code));
    try {
      assert.equal((await runProgram(path, ['hello'])).stdout, 'hello\n');
      assert.throws(() => writeSync(fd, 'X', 0), isRefused);
      assert.throws(() => ftruncateSync(fd, 0), isRefused);
      assert.throws(() => ftruncateSync(fd, 1 << 20), isRefused);
      // A descriptor of another open file: the seals belong to the file itself.
      const writable = openSync(path, 'r+');
      try {
        assert.throws(() => writeSync(writable, 'X', 0), isRefused);
      } finally {
        closeSync(writable);
      }
      assert.deepEqual(readFileSync(path), readFileSync('/bin/echo'));
    } finally {
      kernel.close(fd);
    }
  });

  test('an ended process is neither opened nor signalled', async () => {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    assert.ok(child.pid !== undefined);
    const pidfd = kernel.openProcess(child.pid);
    assert.ok(pidfd !== undefined);
    child.kill('SIGKILL');
    await once(child, 'exit'); // reaped: the pid is free
    assert.equal(kernel.signalProcess(pidfd, 0), false);
    assert.equal(kernel.openProcess(child.pid), undefined);
    kernel.close(pidfd);
  });

  test('a thread is no process', () => {
    const thread = readdirSync('/proc/self/task')
      .map(Number)
      .find((id) => id !== process.pid);
    assert.ok(thread !== undefined);
    assert.equal(kernel.openProcess(thread), undefined);
  });

  test('a dump of network interfaces is answered whole, slowly too', async () => {
    const request = linkDump();
    const fast = Buffer.concat(kernel.netlink('route', request));
    const slow = Buffer.concat(await kernel.netlinkSlow('route', request));
    for (const answer of [fast, slow]) {
      assert.ok(answer.includes('lo\0'), 'the loopback interface is in it');
      assert.equal(answer.readUInt16LE(answer.length - 16), 3, 'NLMSG_DONE ends it'); // type of a message of 20 bytes
    }
  });

  test('a refused request is an answer and no exception', () => {
    const [answer] = kernel.netlink('route', linkDeletion(0x7fff_fff0));
    assert.ok(answer);
    const view = Buffer.from(answer);
    assert.equal(view.readUInt16LE(4), 2, 'NLMSG_ERROR');
    assert.equal(view.readInt32LE(16), -constants.errno.ENODEV);
  });

  test('probes IPv6 apart from IPv4, and refuses what is no address', async () => {
    const { port, release } = await takeRealPort(kernel, 'tcp');
    try {
      assert.equal(kernel.probePort('tcp', '::1', port), port);
    } finally {
      await release();
    }
    for (const address of ['localhost', '::ffff:127.0.0.1', 'fe80::1%lo', '1.2.3', '']) {
      assert.throws(
        () => kernel.probePort('tcp', address, 0),
        (error) => EngineError.is(error, 'INVALID_OPTION'),
        address,
      );
    }
    assert.throws(
      () => kernel.probePort('tcp', '192.0.2.1', 0),
      (error) => EngineError.is(error, 'SYSTEM_CALL_FAILED') && error.data.errno === 'EADDRNOTAVAIL',
    );
  });

  test('knows file systems by their numbers', () => {
    assert.equal(kernel.fileSystemType('/proc'), 0x9fa0);
    assert.throws(
      () => kernel.fileSystemType('/does/not/exist'),
      (error) => EngineError.is(error, 'SYSTEM_CALL_FAILED') && error.data.operand === '/does/not/exist',
    );
  });
});

test('a fake kernel writes down what it was asked', () => {
  const kernel = new MemoryKernel();
  kernel.netlinkAnswers.push([Uint8Array.of(1)]);
  assert.deepEqual(kernel.netlink('route', Uint8Array.of(9)), [Uint8Array.of(1)]);
  assert.deepEqual(kernel.netlink('route', Uint8Array.of(9)), []);
  assert.deepEqual(
    kernel.calls.map(({ name }) => name),
    ['netlink', 'netlink'],
  );
  assert.deepEqual(kernel.calls[0]?.arguments, ['route', Uint8Array.of(9)]);
});

test('a fake pidfd never means the next process of its pid', () => {
  const kernel = new MemoryKernel();
  kernel.startProcess(5);
  const pidfd = kernel.openProcess(5);
  assert.ok(pidfd !== undefined);
  kernel.startProcess(5);
  assert.equal(kernel.signalProcess(pidfd, 15), false);
});

/** RTM_GETLINK with NLM_F_REQUEST | NLM_F_DUMP. @see rtnetlink(7) */
const linkDump = (): Uint8Array => linkMessage(18, 0x301, 0);

/** RTM_DELLINK with NLM_F_REQUEST | NLM_F_ACK. */
const linkDeletion = (index: number): Uint8Array => linkMessage(17, 0x5, index);

function linkMessage(type: number, flags: number, index: number): Uint8Array {
  const message = Buffer.alloc(32);
  message.writeUInt32LE(32, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(flags, 6);
  message.writeInt32LE(index, 20);
  return message;
}
