import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import type { GuestEvent } from '../guest/guest-event.js';
import { guestTree } from './guest-tree.js';
import { findKernel } from './kernel.js';
import { writeCpio } from './write-cpio.js';

export interface GuestOptions {
  /** Compiled test files, relative to the directory of compiled tests. */
  readonly files: readonly string[];
  /** The machine is switched off after that time. */
  readonly timeoutMs: number;
}

/**
 * Boots a virtual machine without any disk or network, runs test files in it, and gives what they tell.
 *
 * @throws Error with the end of the guest's console when the machine does not end by itself in time, or too early.
 */
export async function* runGuest({ files, timeoutMs }: GuestOptions): AsyncGenerator<GuestEvent> {
  const directory = await mkdtemp(join(tmpdir(), 'tsc-vm-'));
  try {
    const initramfs = join(directory, 'initramfs');
    const tests = files.map((file) => `/app/build/test/${file}\n`).join('');
    const entries = [...(await guestTree()), ['/tests', { type: 'text', mode: 0o644, text: tests }] as const];
    await pipeline(writeCpio(entries), createWriteStream(initramfs));
    yield* boot(initramfs, join(directory, 'console'), timeoutMs);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function* boot(initramfs: string, consoleLog: string, timeoutMs: number): AsyncGenerator<GuestEvent> {
  const machine = spawn('qemu-system-x86_64', machineOptions(initramfs, consoleLog), {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const closed = new Promise<string>((resolve) => {
    machine.on('error', (error) => resolve(String(error)));
    machine.on('close', (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });
  let complaints = '';
  machine.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  try {
    let last: GuestEvent | undefined;
    for await (const line of createInterface(machine.stdout)) {
      last = JSON.parse(line) as GuestEvent;
      yield last;
    }
    const how = await closed;
    if (last?.kind !== 'end') {
      throw new Error(`the guest did not run all tests: ${how}\n${complaints}${tail(consoleLog)}`);
    }
  } finally {
    machine.kill('SIGKILL'); // no more than a formality unless the caller has stopped listening
    await closed;
  }
}

function tail(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').slice(-6000) : '';
}

/** No acceleration: machines that build this project are often virtual themselves. */
function machineOptions(initramfs: string, consoleLog: string): string[] {
  const commandLine = 'console=ttyS0 quiet panic=-1 loglevel=4 cgroup_no_v1=all hugepages=4';
  return [
    ...['-machine', 'q35,accel=tcg', '-cpu', 'max', '-smp', '2', '-m', '1536', '-nodefaults', '-no-user-config'],
    ...['-display', 'none', '-no-reboot', '-kernel', findKernel().image, '-initrd', initramfs, '-append', commandLine],
    ...['-serial', `file:${consoleLog}`, '-serial', 'stdio'],
  ];
}
