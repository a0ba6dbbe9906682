// Tests as a user of the test kit writes them, for a process of their own: `node kit-suite.js JSON`.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Container, EngineOptions } from 'tscontainer';
import { forCommand, forLogLine, testContainers } from 'tscontainer/testing';

const { engine, image, mode } = JSON.parse(process.argv[2] ?? '') as {
  readonly engine: EngineOptions;
  readonly image: string;
  readonly mode: 'pass' | 'hang';
};
const options = {
  image,
  command: ['sh', '-c', 'echo ready; while :; do sleep 1; done'],
  ready: forLogLine('ready'),
};

describe('a suite', () => {
  const containers = testContainers({ beforeAll: before, beforeEach, afterEach, afterAll: after }, { engine });
  let shared: Container;
  let own: Container;

  before(async () => {
    shared = await containers.start(options);
  });

  test('the first test starts a container', async () => {
    own = await containers.start({ ...options, ready: forCommand(['true']) });
    assert.equal(own.status, 'running');
    if (mode === 'pass') return;
    const pids = [(await own.inspect()).pid, (await shared.inspect()).pid];
    console.log(`hanging ${JSON.stringify(pids)}`);
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  });

  test('it is gone in the next, what all tests share is there, and others start', async () => {
    await assert.rejects(containers.engine.containers.get(own.id), { code: 'NO_SUCH_CONTAINER' });
    assert.equal(shared.status, 'running');
    const { services } = await containers.startServices({ a: options, b: { ...options, dependsOn: ['a'] } });
    assert.equal(services.b.container.status, 'running');
  });
});
