import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Container, ContainerOptions, ContainerStats } from 'tscontainer';
import { cpuMsOf } from '../../helpers/container-group.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { eventually } from '../../helpers/eventually.js';

const MIB = 1024 * 1024;
/** On a disk, also where the temporary directory is none. */
const disk = process.env['TMPDIR'] ?? '/var/tmp';

describe('stats', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  const start = async (options: Partial<ContainerOptions>): Promise<Container> => {
    const container = await lab.engine.containers.create({ image, network: 'none', ...options });
    await container.start();
    return container;
  };

  test('of a program that spins are those of a processor, as far as the program has got one', async () => {
    await using container = await start({ command: ['sh', '-c', 'while :; do :; done'] });
    const pid = (await container.inspect()).pid ?? 0;
    let before: { readonly stats: ContainerStats; readonly ownMs: number } | undefined;
    for await (const stats of container.stats({ intervalMs: 1000 })) {
      const ownMs = await cpuMsOf(pid); // counted in 10 ms
      const { usageMs = 0, userMs = 0, systemMs = 0 } = stats.cpu ?? {};
      if (before !== undefined) {
        // What the process has used itself is the truth, on a machine that others use, too.
        assert.ok(usageMs > before.ownMs - 20 && usageMs < ownMs + 100, `${before.ownMs}, ${usageMs}, ${ownMs} ms`);
        const elapsedMs = stats.readAt.getTime() - before.stats.readAt.getTime();
        const expected = ((usageMs - (before.stats.cpu?.usageMs ?? 0)) / elapsedMs) * 100;
        const told = stats.cpuPercent ?? 0;
        assert.ok(Math.abs(told - expected) < 1 && told > 10, `${told} % instead of ${expected} %`);
        assert.ok(userMs > systemMs, JSON.stringify(stats.cpu));
        break;
      }
      before = { stats, ownMs };
    }
  });

  test('tell memory that is held, and its limit', async () => {
    const script = 'head -c 20m /dev/zero > /dev/shm/held; echo held; sleep 100000';
    await using container = await start({ command: ['sh', '-c', script], memory: 64 * MIB, memorySwap: 64 * MIB });
    for await (const line of container.logs({ follow: true })) if (line.text === 'held') break;
    const { memory, memoryPercent = 0 } = await container.stats();
    assert.ok(memory !== undefined);
    assert.equal(memory.limitBytes, 64 * MIB);
    assert.ok(memory.usageBytes >= 20 * MIB && memory.usageBytes < 40 * MIB, JSON.stringify(memory));
    assert.ok(memory.chargedBytes >= memory.usageBytes);
    assert.ok((memory.cacheBytes ?? 0) >= 20 * MIB, 'a file in memory is cache');
    assert.ok(Math.abs(memoryPercent - (memory.usageBytes / (64 * MIB)) * 100) < 1e-9);
    assert.equal(memory.oomKills, 0);
  });

  test('tell processes, and what was written to a disk', async () => {
    const directory = await mkdtemp(`${disk}/tsc-stats-`);
    try {
      // More than once: the kernel counts for the group above until it finds room for the counters of a new one.
      const write = 'dd if=/dev/zero of=/data/file bs=1M count=4 oflag=direct 2>/dev/null && echo written';
      const mounts = [{ type: 'bind', source: directory, target: '/data' }] as const;
      const command = ['sh', '-c', `sleep 100000 & while ${write}; do read again; done`];
      await using container = await start({ command, mounts, openStdin: true, pidsLimit: 50 });
      const input = await container.attach({ stdin: true, stdout: false, stderr: false });
      let written = 0;
      for await (const line of container.logs({ follow: true })) {
        assert.equal(line.text, 'written');
        written += 4 * MIB;
        const { io } = await container.stats();
        assert.ok(io !== undefined && io.writtenBytes <= 1.5 * written, JSON.stringify(io));
        if (io.writtenBytes >= 4 * MIB) break;
        input.stdin?.write('\n');
      }
      const { io, pids } = await container.stats();
      assert.deepEqual(pids, { current: 2, limit: 50 });
      assert.ok(io !== undefined && io.writes > 0);
      assert.ok(io.devices.some((each) => each.writtenBytes >= 4 * MIB));
      await input.detach();
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('tell what was sent and received on each interface', async () => {
    const script = 'mkdir /www && head -c 1m /dev/zero > /www/file && exec httpd -f -p 80 -h /www';
    await using container = await start({
      command: ['sh', '-c', script],
      network: 'bridge',
      ports: ['127.0.0.1::80'],
    });
    const [port] = (await container.inspect()).network.ports;
    const download = async (): Promise<number> =>
      (await (await fetch(`http://127.0.0.1:${port?.hostPort}/file`)).arrayBuffer()).byteLength;
    await eventually(
      'the server answers',
      () =>
        download().then(
          (size) => size === MIB,
          () => false,
        ),
      20_000,
    );
    const sent = async () => {
      const [found, ...others] = (await container.stats()).networks ?? [];
      assert.deepEqual(others, []);
      assert.ok(found !== undefined);
      return found;
    };
    const before = await sent();
    assert.equal(await download(), MIB);
    const after = await sent();
    const bytes = after.sentBytes - before.sentBytes;
    assert.ok(bytes >= MIB && bytes < 1.2 * MIB, `${bytes} bytes`);
    assert.ok(after.receivedBytes > before.receivedBytes && after.sentPackets > before.sentPackets);
  });

  test('of a container in the host’s network say nothing about the network; without one there is no interface', async () => {
    const command = ['sleep', '100000'];
    await using host = await start({ command, network: 'host' });
    assert.equal((await host.stats()).networks, undefined);
    await using none = await start({ command });
    assert.deepEqual((await none.stats()).networks, []);
  });

  test('go on until the container ends', async () => {
    await using container = await start({ command: ['sleep', '100000'] });
    let count = 0;
    for await (const stats of container.stats({ intervalMs: 100 })) {
      count += 1;
      assert.equal(stats.pids?.current, 1);
      if (count === 3) await container.kill();
    }
    assert.equal(count, 3);
    assert.equal(container.status, 'exited');
  });
});
