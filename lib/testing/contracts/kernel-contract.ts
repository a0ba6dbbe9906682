import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Kernel } from '../../kernel/kernel.js';

/** A port that is in use until it is released. */
export interface TakenPort {
  readonly port: number;
  /** Frees it. */
  release(): Promise<void>;
}

/** A kernel under test, and the world around it. */
export interface KernelFixture {
  readonly name: string;
  /** A fresh one; it is disposed of after each test. */
  open(): Kernel;
  /** Starts a process that does nothing. `ended` gives the number of the signal that has ended it. */
  startProcess(kernel: Kernel): { readonly pid: number; readonly ended: Promise<number> };
  /** Takes a port of 127.0.0.1 that nobody has. */
  takePort(kernel: Kernel, protocol: 'tcp' | 'udp'): Promise<TakenPort>;
}

const NO_PROCESS = 2 ** 22 + 1; // above the largest possible pid

/** What every {@link Kernel} does. */
export function kernelContract(fixture: KernelFixture): void {
  const contract = (title: string, body: (kernel: Kernel) => Promise<void> | void): void => {
    test(title, async () => {
      const kernel = fixture.open();
      try {
        await body(kernel);
      } finally {
        kernel.dispose();
      }
    });
  };
  describe(`kernel ${fixture.name}`, () => {
    descriptorContract(contract);
    lockContract(contract);
    processContract(contract, fixture);
    portContract(contract, fixture);
    contract('names the file system of a path, and this user', (kernel) => {
      assert.ok(kernel.fileSystemType(tmpdir()) > 0);
      assert.ok(kernel.effectiveUserId() >= 0);
    });
  });
}

type Contract = (title: string, body: (kernel: Kernel) => Promise<void> | void) => void;

const failsWith = (errno: string) => (error: unknown) =>
  EngineError.is(error, 'SYSTEM_CALL_FAILED') && error.data.errno === errno;

function descriptorContract(contract: Contract): void {
  contract('gives two ends of a pipe, each closed for itself', (kernel) => {
    const { readFd, writeFd } = kernel.pipe();
    assert.notEqual(readFd, writeFd);
    kernel.close(readFd);
    kernel.close(writeFd);
    assert.throws(() => kernel.close(writeFd), failsWith('EBADF'));
  });

  contract('says which descriptor is none', (kernel) => {
    assert.throws(() => kernel.close(-1), failsWith('EBADF'));
    assert.throws(() => kernel.tryLock(-1, 'shared'), failsWith('EBADF'));
    assert.throws(() => kernel.unlock(-1), failsWith('EBADF'));
    assert.throws(() => kernel.signalProcess(-1, 0), failsWith('EBADF'));
  });

  contract('gives a descriptor of a sealed copy', (kernel) => {
    const fd = kernel.sealedCopy('copy', Buffer.from('content'));
    assert.ok(fd >= 0);
    kernel.close(fd);
  });
}

/** Two open files of one path, and one of another. */
interface LockFiles {
  readonly first: number;
  readonly second: number;
  readonly other: number;
  close(fd: number): void;
}

function lockContract(contract: Contract): void {
  const withFiles = (body: (kernel: Kernel, files: LockFiles) => void) => {
    return (kernel: Kernel): void => {
      const directory = mkdtempSync(join(tmpdir(), 'tscontainer-contract-'));
      const open = (name: string): number => openSync(join(directory, name), 'a');
      const [first, second, other] = [open('lock'), open('lock'), open('other')];
      const close = (fd: number): void => void (left.delete(fd) && closeSync(fd));
      const left = new Set([first, second, other]);
      try {
        body(kernel, { first, second, other, close });
      } finally {
        for (const fd of left) closeSync(fd);
        rmSync(directory, { recursive: true });
      }
    };
  };

  contract(
    'gives an exclusive lock to one open file at a time',
    withFiles((kernel, { first, second, other }) => {
      assert.equal(kernel.tryLock(first, 'exclusive'), true);
      assert.equal(kernel.tryLock(second, 'exclusive'), false);
      assert.equal(kernel.tryLock(second, 'shared'), false);
      assert.equal(kernel.tryLock(other, 'exclusive'), true, 'another file has another lock');
      kernel.unlock(first);
      assert.equal(kernel.tryLock(second, 'exclusive'), true);
    }),
  );

  contract(
    'gives a shared lock to many, and nobody the exclusive one meanwhile',
    withFiles((kernel, { first, second }) => {
      assert.equal(kernel.tryLock(first, 'shared'), true);
      assert.equal(kernel.tryLock(second, 'shared'), true);
      assert.equal(kernel.tryLock(first, 'exclusive'), false);
      kernel.unlock(second);
      assert.equal(kernel.tryLock(first, 'exclusive'), true);
    }),
  );

  contract(
    'locks again what it holds, and unlocks what nobody holds',
    withFiles((kernel, { first }) => {
      assert.equal(kernel.tryLock(first, 'exclusive'), true);
      assert.equal(kernel.tryLock(first, 'exclusive'), true);
      kernel.unlock(first);
      kernel.unlock(first);
    }),
  );

  contract(
    'ends a lock with its open file',
    withFiles((kernel, { first, second, close }) => {
      assert.equal(kernel.tryLock(first, 'exclusive'), true);
      close(first);
      assert.equal(kernel.tryLock(second, 'exclusive'), true);
    }),
  );
}

function processContract(contract: Contract, fixture: KernelFixture): void {
  contract('opens no process that does not exist', (kernel) => {
    assert.equal(kernel.openProcess(NO_PROCESS), undefined);
  });

  contract('sends signals to the process that it has opened, until that has ended', async (kernel) => {
    const { pid, ended } = fixture.startProcess(kernel);
    const pidfd = kernel.openProcess(pid);
    assert.ok(pidfd !== undefined);
    try {
      assert.equal(kernel.signalProcess(pidfd, 0), true, 'signal 0 only asks');
      assert.equal(kernel.signalProcess(pidfd, 9), true);
      assert.equal(await ended, 9);
      assert.equal(kernel.signalProcess(pidfd, 9), false);
    } finally {
      kernel.close(pidfd);
    }
  });
}

function portContract(contract: Contract, fixture: KernelFixture): void {
  for (const protocol of ['tcp', 'udp'] as const) {
    contract(`tells a free ${protocol} port from a taken one`, async (kernel) => {
      const { port, release } = await fixture.takePort(kernel, protocol);
      assert.equal(kernel.probePort(protocol, '127.0.0.1', port), undefined);
      await release();
      assert.equal(kernel.probePort(protocol, '127.0.0.1', port), port);
      assert.equal(kernel.probePort(protocol, '127.0.0.1', port), port, 'a probe takes nothing');
    });

    contract(`finds a free ${protocol} port`, (kernel) => {
      const port = kernel.probePort(protocol, '127.0.0.1', 0);
      assert.ok(port !== undefined && port > 0 && port < 65_536);
    });
  }
}
