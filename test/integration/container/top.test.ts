import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngineLab } from '../../helpers/engine-lab.js';

test('top shows every process of a container, those that joined too, and none beside', async () => {
  await using lab = await openEngineLab();
  const startedAt = Date.now();
  const script = 'sleep 100001 & sleep 100002 & echo ready; wait';
  const options = { image: lab.image(), network: 'none', command: ['sh', '-c', script] } as const;
  await using container = await lab.engine.containers.create(options);
  await using other = await lab.engine.containers.create({ ...options, command: ['sleep', '100003'] });
  await Promise.all([container.start(), other.start()]);
  for await (const line of container.logs({ follow: true })) if (line.text === 'ready') break;
  await using joined = await container.spawn(['sleep', '100004'], { user: '1000:1000' });
  const { pid } = await container.inspect();

  const found = await container.top();
  assert.deepEqual(found.map(({ command }) => command.join(' ')).sort(), [
    `sh -c ${script}`,
    'sleep 100001',
    'sleep 100002',
    'sleep 100004',
  ]);
  const [first, ...children] = found;
  assert.ok(first !== undefined);
  assert.deepEqual([first.pid, first.containerPid, first.name, first.uid], [pid, 1, 'sh', 0]);
  for (const each of children) {
    assert.equal(each.name, 'sleep');
    assert.ok(each.containerPid > 1 && each.containerPid < 100 && each.containerPid !== each.pid);
    assert.ok(each.residentBytes > 0 && each.threads === 1 && each.state === 'S');
    assert.ok(each.startedAt.getTime() >= startedAt - 20 && each.startedAt.getTime() <= Date.now());
    if (each.pid === joined.pid) assert.deepEqual([each.uid, each.gid], [1000, 1000]);
    else assert.equal(each.parentPid, pid);
  }
  assert.deepEqual(
    (await other.top()).map(({ command }) => command),
    [['sleep', '100003']],
  );
});

test('what a process calls itself is bounded and tells nobody anything else', async () => {
  await using lab = await openEngineLab();
  // A name that looks like the fields that follow it, and arguments beyond any bound.
  const name = 'busybox) Z 1 (';
  const wait = 'echo ready; read line < /tmp/fifo';
  const script = `mkfifo /tmp/fifo; cp /bin/busybox "/tmp/${name}"; exec "/tmp/${name}" sh -c "${wait}" "$@"`;
  await using container = await lab.engine.containers.create({
    image: lab.image(),
    network: 'none',
    command: ['sh', '-c', script, 'sh', 'a\nb', 'y'.repeat(100_000)],
  });
  await container.start();
  for await (const line of container.logs({ follow: true })) if (line.text === 'ready') break;
  const [found, ...others] = await container.top();
  assert.deepEqual(others, []);
  assert.equal(found?.name, name);
  assert.equal(found?.state, 'S');
  assert.equal(found?.containerPid, 1);
  assert.equal(Buffer.byteLength(found?.command.join('\0') ?? ''), 4096);
});
