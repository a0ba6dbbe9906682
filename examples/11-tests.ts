/**
 * Tests of a program that needs services: they are started in the order in which they need each other, and gone after each test,
 * whatever happens to it. For Node's own test runner; vitest and jest have hooks of the names `beforeAll` to `afterAll`.
 *
 *   node --test 11-tests.js
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { forHttp, forLogLine, needs, testContainers } from 'tscontainer/testing';

const root = process.env['ROOT'];
const containers = testContainers(
  { beforeAll: before, beforeEach, afterEach, afterAll: after },
  {
    ...(root !== undefined && { engine: { root } }),
    prepare: (engine) => engine.images.fromHost({ binaries: ['busybox', 'sh', 'sleep', 'mkdir'], tag: 'service' }),
  },
);

test('the page names the database that it was given', async () => {
  const { services } = await containers.startServices({
    database: {
      image: 'service',
      command: ['sh', '-c', 'echo ready to accept connections; exec sleep 1000'],
      ready: forLogLine('ready to accept connections'),
    },
    web: needs(['database'], ({ database }) => ({
      image: 'service',
      env: { DATABASE: database.endpoint(5432) },
      command: ['sh', '-c', 'mkdir /www; echo "uses $DATABASE" > /www/page; exec busybox httpd -f -p 80 -h /www'],
      ready: forHttp('/page', { port: 80 }),
    })),
  });
  const answer = await fetch(`http://${services.web.endpoint(80)}/page`);
  assert.equal(await answer.text(), `uses ${services.database.endpoint(5432)}\n`);
});

test('a service that dies is told at once, with the end of its log', async () => {
  const dying = containers.startServices({
    broken: {
      image: 'service',
      command: ['sh', '-c', 'echo no such table; exit 3'],
      ready: forHttp('/', { port: 80 }),
    },
  });
  await assert.rejects(dying, /exit code 3[\s\S]*no such table/);
});
