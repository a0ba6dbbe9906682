import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { busyboxImage } from '../helpers/busybox-image.js';
import { startDockerRegistry } from '../helpers/docker-registry.js';
import { pushImage } from '../helpers/image-layout.js';
import { rememberRunRoots } from '../helpers/run-roots.js';

const run = promisify(execFile);
const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

describe('examples', () => {
  let root: string;
  let forgetRunRoots: () => Promise<void>;

  before(async () => {
    forgetRunRoots = await rememberRunRoots();
    root = await mkdtemp('/var/lib/tsc-examples-');
  });
  after(async () => {
    await rm(root, { recursive: true });
    await forgetRunRoots();
  });

  const example = async (name: string, ...args: string[]): Promise<string> =>
    (await run(process.execPath, [join(examples, name), ...args], { timeout: 60_000 })).stdout;

  test('01 runs a command and prints its output and exit code', async () => {
    const output = await example('01-run-and-print.js', root);
    assert.match(output, /^hello from [0-9a-f]{12}\n/);
    assert.match(output, /^usr$/m);
    assert.match(output, /^exit code 3 after \d+\.\d ms$/m);
  });

  test('02 pulls with progress, and tells a typed error for what is not there', async () => {
    await using registry = await startDockerRegistry();
    const reference = await pushImage(await busyboxImage(), registry.host, 'busybox:1');
    const output = await example('02-pull-with-progress.js', reference, root);
    assert.match(output, /^1 layers, \d+ bytes$/m);
    assert.match(output, /^downloaded (\d+) of \1 bytes$/m);
    assert.match(output, /^unpacked layer 1 of 1$/m);
    assert.match(output, /is sha256:[0-9a-f]{64}$/m);
    await assert.rejects(example('02-pull-with-progress.js', `${registry.host}/nothing:1`, root), (error) => {
      assert.match((error as { stderr: string }).stderr, /^IMAGE_NOT_FOUND \(not-found\): no image /);
      return true;
    });
  });

  test('03 executes commands in a running container and reads its log', async () => {
    assert.equal(
      await example('03-exec-and-logs.js', root),
      [
        'hello from exec (exit code 0)',
        'STREAMS ARE REAL PIPES',
        'stopped with exit code 0',
        ...['line 1', 'line 2', 'line 3', 'goodbye'].map((line) => `stdout: ${line}`),
        '',
      ].join('\n'),
    );
  });

  test('04 meets limits of memory, processes, files and time', async () => {
    assert.equal(
      await example('04-limits.js', root),
      [
        'memory: exit code 137, signal SIGKILL, oomKilled true',
        'processes: the shell could not fork',
        'open files and OOM score: 256, 500',
        'time: ended after 300 ms',
        '',
      ].join('\n'),
    );
  });

  test('05 serves HTTP through a published port', async () => {
    assert.equal(
      await example('05-web-server-with-port.js', root),
      'hello from process 1 of container web\nlog: ready\nlog: GET /\n',
    );
  });

  test('06 serves a registry, pushes to it, and runs the image on another engine', async () => {
    const output = await example('06-private-registry.js', root);
    const bytes = /^2 blobs, (\d+) bytes$/m.exec(output)?.[1];
    assert.match(output, /^logged in, with an identity token in .*\/config\.json$/m);
    assert.match(output, new RegExp(`^pushed team/tools:1, ${bytes} bytes sent$`, 'm'));
    assert.match(output, /^team\/tools has \d+ bytes already$/m);
    assert.match(output, /^pushed team\/copy:1, 0 bytes sent$/m);
    assert.match(output, /^found team\/copy\nfound team\/tools\nhello from Linux\n$/m);
  });

  test('07 saves images, loads them on another engine, imports one, and prunes', async () => {
    const output = await example('07-save-and-load.js', root);
    const size = /^saved (\d+) bytes\n/.exec(output)?.[1];
    assert.ok(Number(size) > 100_000, output);
    assert.equal(
      output,
      [
        `saved ${size} bytes`,
        'loaded tools:1 and tools:latest',
        'hello from Linux',
        'imported data:latest with {"purpose":"example"}',
        'labelled: data:latest',
        'data:latest: 0 bytes shared, 0 containers',
        'tools:1,tools:latest: 0 bytes shared, 0 containers',
        'pruned 2 images, freed their bytes',
        '',
      ].join('\n'),
    );
  });

  test('09 copies files, tells what has changed, and makes an image of it', async () => {
    assert.deepEqual((await example('09-files-and-commit.js', root)).split('\n'), [
      'hello from the host',
      'made inside',
      'added /app',
      'added /app/result',
      'added /app/version',
      'made inside',
      '',
    ]);
  });

  test('11 is a file of tests with services, of which nothing stays', async () => {
    const words = ['--test', '--test-reporter=tap', join(examples, '11-tests.js')];
    // A runner inside a runner would report to the outer one.
    const { NODE_TEST_CONTEXT: _inner, ...environment } = process.env;
    const { stdout } = await run(process.execPath, words, { timeout: 60_000, env: { ...environment, ROOT: root } });
    assert.match(stdout, /^# pass 2$/m);
    assert.match(stdout, /^# fail 0$/m);
  });

  test('08 runs a program of the host, which changes nothing', async () => {
    const output = await example('08-host-sandbox.js', root);
    assert.equal(output, 'I am nobody on sandbox\ninside: changed; afterwards: gone\n');
  });

  test('the quickstart reports namespaces, process 1, address and memory limit', async () => {
    const output = await example('quickstart.js');
    assert.match(output, /^I am process 1 in my own PID namespace, and my user is root\.$/m);
    for (const kind of ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'])
      assert.match(output, new RegExp(`${kind}:\\[\\d+\\]`));
    assert.match(output, /^My process 1: {5}sh$/m);
    assert.match(output, /^My address: {7}\d+\.\d+\.\d+\.\d+\t[0-9a-f]{12}$/m);
    assert.match(output, /^My memory limit: {2}209715200 bytes$/m);
    assert.match(output, /ended with exit code 0\.$/m);
  });

  test('the quickstart pulls the image that it is given', async () => {
    await using registry = await startDockerRegistry();
    const reference = await pushImage(await busyboxImage(), registry.host, 'busybox:quickstart');
    const output = await example('quickstart.js', reference);
    assert.match(output, /^layer 1\/1 is here$/m);
    assert.match(output, /^My process 1: {5}sh$/m);
  });
});
