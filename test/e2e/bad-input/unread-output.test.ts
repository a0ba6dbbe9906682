import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { openEngineLab } from '../../helpers/engine-lab.js';
import { eventually } from '../../helpers/eventually.js';

const offline = { network: 'none' } as const;

async function textOf(stream: AsyncIterable<unknown> | undefined): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

test('output of a process that nobody reads holds no descriptors, and can still be read after its end', async () => {
  await using lab = await openEngineLab();
  const container = await lab.engine.containers.create({ image: lab.image(), command: ['sleep', '1000'], ...offline });
  await container.start();
  const open = (): number => readdirSync('/proc/self/fd').length;
  await container.exec(['true']);
  const before = open();
  const processes = [];
  for (let count = 0; count < 20; count += 1) {
    const process = await container.spawn(['sh', '-c', `echo out ${count}; echo err >&2`]);
    await process.wait();
    processes.push(process);
  }
  await eventually('all descriptors are closed', () => open() <= before);
  assert.equal(await textOf(processes[7]?.stdout), 'out 7\n');
  assert.equal(await textOf(processes[7]?.stderr), 'err\n');
  assert.equal(await textOf(processes[8]?.stdout), 'out 8\n');
});

test('what a process leaves behind may go on writing to its output', async () => {
  await using lab = await openEngineLab();
  const container = await lab.engine.containers.create({ image: lab.image(), command: ['sleep', '1000'], ...offline });
  await container.start();
  assert.equal((await container.exec(['mkfifo', '/tmp/go'])).exitCode, 0);
  const process = await container.spawn(['sh', '-c', 'echo first; (read line < /tmp/go; echo second) & exit 0']);
  await process.wait();
  const text = textOf(process.stdout);
  await container.exec(['sh', '-c', 'echo x > /tmp/go']);
  assert.equal(await text, 'first\nsecond\n');
});
