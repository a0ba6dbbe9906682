import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { rejection } from '../../helpers/rejection.js';
import { runChecked } from '../../helpers/run-checked.js';

const offline = { network: 'none' } as const;
const host = { host: true } as const;

describe('a container on the host’s root', () => {
  let lab: EngineLab;
  before(async () => {
    lab = await openEngineLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  test('runs the host’s programs, with no image at all', async () => {
    const { stdout } = await lab.engine.run(host, ['sh', '-c', 'cat /etc/hostname; node --version'], {
      ...offline,
      env: { PATH: process.env['PATH'] },
      hostname: 'sandbox',
    });
    assert.equal(stdout, `sandbox\n${process.version}\n`);
    assert.deepEqual(await lab.engine.images.list(), []);
  });

  test('what it writes, changes and removes is its own and gone afterwards', async () => {
    const script =
      'echo new > /etc/new-file; echo more >> /etc/passwd; rm -r /etc/group; mkdir /opt/own; ls /etc/new-file; tail -n 1 /etc/passwd; ls /etc/group';
    const passwd = readFileSync('/etc/passwd', 'utf8');
    const { stdout, stderr } = await lab.engine.run(host, ['sh', '-c', script], offline);
    assert.equal(stdout, '/etc/new-file\nmore\n');
    assert.match(stderr, /\/etc\/group/);
    assert.equal(readFileSync('/etc/passwd', 'utf8'), passwd);
    assert.ok(existsSync('/etc/group') && !existsSync('/etc/new-file') && !existsSync('/opt/own'));
  });

  test('a read-only root takes nothing; /tmp and /run are empty and can be written', async () => {
    const script = 'ls -A /tmp /run | grep -v : ; touch /tmp/a /run/b && touch /etc/c';
    const result = await lab.engine.run(host, ['sh', '-c', script], { ...offline, readonly: true });
    assert.deepEqual([result.stdout.trim(), result.exitCode], ['', 1]);
    assert.match(result.stderr, /Read-only/);
  });

  test('its user sees what that user may see, and nobody the engine’s files', async () => {
    const shadow = await lab.engine.run(host, ['cat', '/etc/shadow'], { ...offline, user: 'nobody' });
    assert.notEqual(shadow.exitCode, 0);
    const script = `ls -A ${lab.options.root} ${lab.options.runRoot} | grep -v :; cat /proc/self/mountinfo | grep -c ' - proc '`;
    const { stdout } = await lab.engine.run(host, ['sh', '-c', script], offline);
    assert.match(stdout.trim(), /^\d+$/);
  });

  test('is limited, joined, stopped and started again like any other', async () => {
    const options = { rootfs: host, command: ['sleep', '100000'], memory: '64m', ...offline } as const;
    await using container = await lab.engine.containers.create(options);
    for (let round = 0; round < 2; round += 1) {
      await container.start();
      assert.equal((await container.exec(['sh', '-c', 'echo $((6 * 7))'])).stdout, '42\n');
      await container.stop({ timeoutMs: 0 });
    }
    const { image, config } = await container.inspect();
    assert.deepEqual([image, config.rootfs], [undefined, { host: true, path: '/' }]);
  });

  test('nonsense is refused with the name of the option', async () => {
    const create = (options: object) => lab.engine.containers.create({ command: ['true'], ...options });
    for (const [option, options] of [
      ['image', {}],
      ['image', { image: 'x', rootfs: host }],
      ['rootfs', { rootfs: {} }],
      ['rootfs', { rootfs: { host: false } }],
      ['rootfs.path', { rootfs: { path: 'relative' } }],
      ['rootfs.path', { rootfs: { path: '/etc/passwd' } }],
      ['rootfs.path', { rootfs: { path: '/' } }],
    ] as const) {
      assert.equal((await rejection(create(options), 'INVALID_OPTION')).data.option, option);
    }
  });
});

describe('a container on a directory of the host', () => {
  let lab: EngineLab;
  let path: string;
  before(async () => {
    lab = await openEngineLab();
    path = join(lab.directory, 'tree');
    await mkdir(join(path, 'bin'), { recursive: true });
    await runChecked('sh', ['-c', `cp "$(command -v busybox)" ${path}/bin/busybox`]);
    for (const name of ['sh', 'cat', 'ls', 'sleep', 'readlink']) await symlink('busybox', join(path, 'bin', name));
    await writeFile(join(path, 'file'), 'old\n');
  });
  after(() => lab[Symbol.asyncDispose]());

  const change = ['sh', '-c', 'cat /file; echo new > /file; echo x > /added'];

  test('has a layer of its own above it, which lasts as long as the container', async () => {
    await using container = await lab.engine.containers.create({ rootfs: { path }, command: change, ...offline });
    for (const expected of ['old', 'new']) {
      await container.start();
      await container.wait();
      let last = '';
      for await (const { text } of container.logs()) last = text;
      assert.equal(last, expected);
    }
    assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'old\n');
    assert.ok(!existsSync(join(path, 'added')));
  });

  test('with `direct` writes into it', async () => {
    assert.equal((await lab.engine.run({ path, direct: true }, change, offline)).stdout, 'old\n');
    assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'new\n');
    assert.ok((await readdir(path)).includes('added'));
  });

  test('a directory above the engine’s own has its layer in memory', async () => {
    const script = 'echo y > /file; cat /file';
    const { stdout } = await lab.engine.run(
      { path: lab.directory },
      ['/tree/bin/sh', '-c', script.replaceAll('cat', '/tree/bin/cat')],
      offline,
    );
    assert.equal(stdout, 'y\n');
    assert.ok(!existsSync(join(lab.directory, 'file')));
  });
});
