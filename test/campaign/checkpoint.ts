import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Container, ContainerOptions } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { eventually } from '../helpers/eventually.js';
import { rejection } from '../helpers/rejection.js';

// Not part of a suite: criu 3.17, which Debian 12 has, does not work on new kernels, and does not dump in the guest. With a criu
// that fits the kernel: CRIU=/path/of/criu node --test build/test/campaign/checkpoint.js

/** Says a number at each line of input, and keeps one in memory only. */
const counting = 'i=0; echo mine > /dev/shm/file; while read -r line; do i=$((i+1)); echo "$line $i"; done';

describe('a checkpoint by criu', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab({ criu: process.env['CRIU'] ?? 'criu' });
    image = lab.image();
    await lab.engine.images.pull(image);
  });
  after(() => lab[Symbol.asyncDispose]());

  const start = async (options: Partial<ContainerOptions> = {}): Promise<Container> => {
    const command = ['sh', '-c', counting];
    const container = await lab.engine.containers.create({
      image,
      network: 'none',
      command,
      openStdin: true,
      ...options,
    });
    await container.start();
    return container;
  };
  const say = async (container: Container, text: string, answer: string): Promise<void> => {
    const streams = await container.attach({ stdin: true });
    streams.stdin?.write(`${text}\n`);
    await eventually(`the answer ${answer}`, async () => (await linesOf(container)).includes(answer));
    await streams.detach();
  };
  const linesOf = async (container: Container): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of container.logs()) lines.push(line.text);
    return lines;
  };

  test('ends the container, which goes on where it was when it is restored', async () => {
    await using container = await start({ readonly: true });
    await say(container, 'a', 'a 1');
    const before = await surroundings(container);
    await container.checkpoint();
    assert.equal(container.status, 'exited');
    assert.deepEqual(
      (await container.checkpoints.list()).map(({ name }) => name),
      ['checkpoint'],
    );
    const kept = join(lab.options.root, 'containers', container.id, 'checkpoints');
    assert.deepEqual(
      [kept, join(kept, 'checkpoint')].map((each) => statSync(each).mode & 0o777),
      [0o700, 0o700],
    );
    await container.restore();
    assert.equal(container.status, 'running');
    assert.deepEqual(await surroundings(container), before);
    await say(container, 'b', 'b 2');
    assert.equal((await container.exec(['cat', '/dev/shm/file'])).stdout, 'mine\n');
    await container.kill();
    assert.equal((await container.wait()).exitCode, 137);
    await container.restore();
    await say(container, 'c', 'c 2');
    await container.checkpoints.remove('checkpoint');
    assert.deepEqual(await container.checkpoints.list(), []);
  });

  test('leaves it running, if wanted, under a name', async () => {
    await using container = await start();
    await say(container, 'a', 'a 1');
    await container.checkpoint({ name: 'one', leaveRunning: true });
    await say(container, 'b', 'b 2');
    await rejection(container.checkpoint({ name: 'one' }), 'NAME_TAKEN');
    assert.equal(container.status, 'running');
    await container.stop({ timeoutMs: 0 });
    await container.restore({ checkpoint: 'one' });
    await say(container, 'c', 'c 2');
  });
});

/** What restricts its first process, and the mounts that it sees. */
async function surroundings(container: Container): Promise<object> {
  const { pid } = await container.inspect();
  const status = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^(?:Cap|Seccomp|NoNewPrivs|Uid|Gid).*$/gm);
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n');
  const targets = mounts
    .map((line) => line.split(' '))
    .map(([, , , , target = '', attributes = '']) => {
      return `${target} ${/^ro\b/.test(attributes) ? 'ro' : 'rw'}`;
    });
  return { status, groups: readFileSync(`/proc/${pid}/cgroup`, 'utf8'), targets: targets.sort() };
}
