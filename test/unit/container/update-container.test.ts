import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MemoryCgroups } from '#lib/runtime/cgroup/memory/memory-cgroups.js';
import { again, openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

const MIB = 1024 * 1024;

describe('update', () => {
  test('of a running container takes effect at once, for whoever looks', async (context) => {
    const { create, cgroups, engine, other } = await openMemoryLab(context);
    const container = await create(['hang'], { memory: '64m', pidsLimit: 10 });
    await container.start();
    const stranger = await again(engine, container);
    await container.update({ memory: '128m', cpus: 1.5 });
    const group = `${cgroups.host.root}/tscontainer/${container.id}`;
    const read = (name: string): string | undefined => cgroups.files.get(`${group}/${name}`)?.trim();
    assert.deepEqual(
      [read('memory.max'), read('cpu.max'), read('pids.max')],
      [String(128 * MIB), '150000 100000', '10'],
    );
    const expected = { memory: 128 * MIB, pidsLimit: 10, cpus: 1.5 };
    for (const each of [container, stranger, await (await other()).containers.get(container.id)]) {
      assert.deepEqual((await each.inspect()).config.resources, expected);
    }
  });

  test('of what is not running holds from its next start on', async (context) => {
    const { create, cgroups, engine } = await openMemoryLab(context);
    const container = await create(['polite'], { pidsLimit: 10 });
    await (await again(engine, container)).update({ pidsLimit: 20 });
    assert.deepEqual(cgroups.writes, [], 'there is no group yet');
    const limit = async (): Promise<number | undefined> => (await container.stats()).pids?.limit;
    await container.start();
    assert.equal(await limit(), 20);
    await container.stop();
    await container.update({ pidsLimit: 30 });
    await container.start();
    assert.equal(await limit(), 30);
  });

  test('leaves alone what is left out, and lifts with 0 and the empty text', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang'], { memory: '64m', memorySwap: '64m', cpuShares: 512, cpusetCpus: '0' });
    const resources = async () => (await container.inspect()).config.resources;
    await container.update({});
    assert.deepEqual(await resources(), { memory: 64 * MIB, memorySwap: 64 * MIB, cpuShares: 512, cpusetCpus: '0' });
    await container.update({ memory: 0, memorySwap: 0, cpusetCpus: '' });
    assert.deepEqual(await resources(), { cpuShares: 512 });
  });

  test('a paused container is updated, too', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang']);
    await container.start();
    await container.pause();
    await container.update({ pidsLimit: 7 });
    assert.deepEqual([container.status, (await container.stats()).pids?.limit], ['paused', 7]);
  });

  test('options that do not go together, with each other or with those that stay, change nothing', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang'], { memory: '64m', memorySwap: '64m', cpuQuota: 5000 });
    const before = (await container.inspect()).config.resources;
    const wrong: [object, string][] = [
      [{ memory: '128m' }, 'memorySwap'],
      [{ cpus: 1 }, 'cpus'],
      [{ memory: 1 }, 'memory'],
      [{ memory: true }, 'memory'],
      [{ memori: '64m' }, 'memori'],
      [{ name: 'other' }, 'name'],
      [{ pidsLimit: -2 }, 'pidsLimit'],
      [{ cpusetCpus: '0\n1' }, 'cpusetCpus'],
    ];
    for (const [options, option] of wrong) {
      assert.equal((await rejection(container.update(options), 'INVALID_OPTION')).data.option, option);
    }
    assert.deepEqual((await container.inspect()).config.resources, before);
  });

  test('a limit that the host cannot keep is refused, also before the start', async (context) => {
    const { create } = await openMemoryLab(context, { cgroups: new MemoryCgroups({ controllers: ['pids'] }) });
    const container = await create(['hang']);
    assert.equal((await rejection(container.update({ memory: '64m' }), 'CONTROLLER_MISSING')).data.option, 'memory');
    await container.start();
    await rejection(container.update({ pidsLimit: 5, cpus: 1 }), 'CONTROLLER_MISSING');
    assert.deepEqual((await container.inspect()).config.resources, {});
  });

  test('one limit that the kernel refuses takes all others back', async (context) => {
    const cgroups = new MemoryCgroups({
      refuse: (path, data) => (path.endsWith('pids.max') && data === '13' ? 'EINVAL' : undefined),
    });
    const { create, services } = await openMemoryLab(context, { cgroups });
    const container = await create(['hang'], { memory: '64m', pidsLimit: 5 });
    await container.start();
    const error = await rejection(container.update({ memory: '128m', pidsLimit: 13 }), 'SYSTEM_CALL_FAILED');
    assert.deepEqual([error.data.syscall, error.data.errno], ['write', 'EINVAL']);
    assert.match(error.data.operand, /'13' to .*pids\.max$/);
    const { memory, pids } = await container.stats();
    assert.deepEqual([memory?.limitBytes, pids?.limit], [64 * MIB, 5]);
    assert.deepEqual((await container.inspect()).config.resources, { memory: 64 * MIB, pidsLimit: 5 });
    await container.update({ pidsLimit: 12 });
    const path = join(services.layout.runContainer(container.id), 'limits.json');
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
      version: 1,
      resources: { memory: 64 * MIB, pidsLimit: 12 },
    });
  });

  test('an aborted update changes nothing, and a removed container has no limits', async (context) => {
    const { create } = await openMemoryLab(context);
    const container = await create(['hang'], { pidsLimit: 5 });
    await container.start();
    const signal = AbortSignal.abort(new Error('no'));
    await assert.rejects(container.update({ pidsLimit: 6, signal }), /no/);
    assert.equal((await container.stats()).pids?.limit, 5);
    await container.remove({ force: true });
    await rejection(container.update({ pidsLimit: 7 }), 'NO_SUCH_CONTAINER');
  });

  test('tells of itself', async (context) => {
    const { create, engine } = await openMemoryLab(context);
    const container = await create(['hang'], { name: 'web', cpuShares: 512 });
    const seen: object[] = [];
    engine.on('container.updated', (event) => seen.push(event));
    await container.update({ pidsLimit: 5 });
    assert.deepEqual(seen, [{ id: container.id, name: 'web', resources: { cpuShares: 512, pidsLimit: 5 } }]);
  });
});
