import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { openEngine, type TestEngine } from '../helpers/open-engine.js';

const run = promisify(execFile);
const MIB = 1024 * 1024;

describe('limits', () => {
  let opened: TestEngine;

  before(async () => {
    opened = await openEngine();
    await opened.engine.images.fromHost({ binaries: ['sh', 'sleep', 'cat', process.execPath], tag: 'tools' });
  });
  after(() => opened[Symbol.asyncDispose]());

  test('a program that touches 500 MB of 200 MB is killed, and the reason is told', async () => {
    const touch = `const all = []; for (let i = 0; i < 500; i += 1) all.push(Buffer.alloc(${MIB}, 1)); console.log(all.length);`;
    const result = await opened.engine.run('tools', [process.execPath, '-e', touch], {
      memory: '200m',
      memorySwap: '200m',
      network: 'none',
    });
    assert.equal(result.oomKilled, true);
    assert.equal(result.exitCode, 137);
    assert.equal(result.signal, 'SIGKILL');
    assert.equal(result.stdout, '');
  });

  test('the same program with enough memory ends by itself', async () => {
    const touch = `const all = []; for (let i = 0; i < 50; i += 1) all.push(Buffer.alloc(${MIB}, 1)); console.log(all.length);`;
    const result = await opened.engine.run('tools', [process.execPath, '-e', touch], {
      memory: '400m',
      network: 'none',
    });
    assert.deepEqual([result.exitCode, result.oomKilled, result.stdout], [0, false, '50\n']);
  });

  test('SIGKILL from outside is not taken for a lack of memory', async () => {
    await using container = await opened.engine.containers.create({
      image: 'tools',
      command: ['sleep', '60'],
      memory: '200m',
      network: 'none',
    });
    await container.start();
    await container.kill();
    const exit = await container.wait();
    assert.deepEqual([exit.exitCode, exit.signal, exit.oomKilled], [137, 'SIGKILL', false]);
  });

  test('cpuShares 1024 and 512 on one processor share it two to one', async () => {
    const busy = ['sh', '-c', 'while :; do :; done'];
    const options = { image: 'tools', command: busy, network: 'none', cpusetCpus: '0' } as const;
    await using big = await opened.engine.containers.create({ ...options, cpuShares: 1024 });
    await using small = await opened.engine.containers.create({ ...options, cpuShares: 512 });
    await Promise.all([big.start(), small.start()]);
    const pids = await Promise.all([big.inspect(), small.inspect()]);
    const ticks = async (): Promise<number[]> => Promise.all(pids.map(({ pid }) => cpuTicks(pid)));
    const [bigBefore = 0, smallBefore = 0] = await ticks();
    await new Promise((resolve) => setTimeout(resolve, 4_000)); // the time over which the shares are measured
    const [bigAfter = 0, smallAfter = 0] = await ticks();
    const ratio = (bigAfter - bigBefore) / (smallAfter - smallBefore);
    assert.ok(ratio > 1.8 && ratio < 2.2, `ratio ${ratio}`);
  });

  test('cpus bounds the processor time', async () => {
    await using container = await opened.engine.containers.create({
      image: 'tools',
      command: ['sh', '-c', 'while :; do :; done'],
      network: 'none',
      cpus: 0.25,
    });
    await container.start();
    const { pid } = await container.inspect();
    const before = await cpuTicks(pid);
    await new Promise((resolve) => setTimeout(resolve, 2_000)); // the time over which the bound is measured
    const seconds = ((await cpuTicks(pid)) - before) / (await ticksPerSecond());
    assert.ok(seconds > 0.2 && seconds < 0.65, `${seconds} s of processor time in 2 s`);
  });

  test('pidsLimit bounds the number of processes', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait';
    const bounded = await opened.engine.run('tools', ['sh', '-c', script], { pidsLimit: 4, network: 'none' });
    assert.match(bounded.stderr, /fork/);
    const free = await opened.engine.run('tools', ['sh', '-c', script], { pidsLimit: 40, network: 'none' });
    assert.deepEqual([free.exitCode, free.stderr], [0, '']);
  });

  test('a container sees its own limit', async () => {
    const script = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; ulimit -n';
    const result = await opened.engine.run('tools', ['sh', '-c', script], {
      memory: '64m',
      ulimits: { nofile: { soft: 100, hard: 200 } },
      network: 'none',
    });
    assert.equal(result.stdout, `${64 * MIB}\n100\n`);
  });
});

/** utime and stime of a process. @see proc(5), /proc/PID/stat */
async function cpuTicks(pid: number | undefined): Promise<number> {
  const { stdout } = await run('cat', [`/proc/${pid}/stat`]);
  const fields = stdout.slice(stdout.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function ticksPerSecond(): Promise<number> {
  return Number((await run('getconf', ['CLK_TCK'])).stdout);
}
