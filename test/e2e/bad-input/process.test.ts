import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Container, Engine, type ErrorCode, type ErrorKind } from 'tscontainer';
import { directory, file, link } from '../../helpers/busybox-layer.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { assertSameFootprint, type Footprint, settledFootprint } from '../../helpers/footprint.js';
import { publishImage } from '../../helpers/publish-image.js';
import { rejection } from '../../helpers/rejection.js';
import { type TarMember, tarOf } from '../../helpers/tar-builder.js';

const offline = { network: 'none' } as const;

describe('what cannot be run is told, and leaves nothing', () => {
  let lab: EngineLab;
  let image: string;
  let long: Container;
  let still: Footprint;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image([
      file('plain', 'text\n', 0o644),
      file('nointerpreter', '#!/no/such/interpreter\n', 0o755),
      file('garbage', Buffer.from('\x7fELF garbage'), 0o755),
      directory('closed', 0o700),
      file('closed/program', '#!/bin/sh\n', 0o755),
      link('loop', 'loop'),
    ]);
    long = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
    await long.start();
    still = await settledFootprint({
      roots: [join(lab.options.runRoot, 'containers'), join(lab.options.root, 'containers')],
    });
  });
  after(() => lab[Symbol.asyncDispose]());

  interface BadProgram {
    readonly command: readonly string[];
    readonly user?: string;
    readonly code: ErrorCode;
    readonly kind: ErrorKind;
    readonly exitCode?: number;
  }

  const programs: readonly BadProgram[] = [
    { command: ['/no/such/program'], code: 'PROGRAM_NOT_FOUND', kind: 'not-found', exitCode: 127 },
    { command: ['no-such-program'], code: 'PROGRAM_NOT_FOUND', kind: 'not-found', exitCode: 127 },
    { command: ['/plain/x'], code: 'PROGRAM_NOT_FOUND', kind: 'not-found', exitCode: 127 },
    { command: ['/nointerpreter'], code: 'PROGRAM_NOT_FOUND', kind: 'not-found', exitCode: 127 },
    { command: ['/plain'], code: 'PROGRAM_NOT_EXECUTABLE', kind: 'denied', exitCode: 126 },
    { command: ['/bin'], code: 'PROGRAM_NOT_EXECUTABLE', kind: 'denied', exitCode: 126 },
    { command: ['/garbage'], code: 'PROGRAM_NOT_EXECUTABLE', kind: 'denied', exitCode: 126 },
    { command: ['/loop'], code: 'PROGRAM_NOT_EXECUTABLE', kind: 'denied', exitCode: 126 },
    { command: ['/closed/program'], user: 'user', code: 'PROGRAM_NOT_EXECUTABLE', kind: 'denied', exitCode: 126 },
    { command: ['true'], user: 'nobody-here', code: 'NO_SUCH_USER', kind: 'invalid' },
    { command: ['true'], user: 'root:no-group', code: 'NO_SUCH_USER', kind: 'invalid' },
  ];

  for (const { command, user, code, kind, exitCode } of programs) {
    const options = user === undefined ? {} : { user };
    const check = async (work: Promise<unknown>): Promise<void> => {
      const error = await rejection(work, code);
      const data = error.data as { program?: string; user?: string; exitCode?: number };
      assert.equal(error.kind, kind);
      assert.equal(data.exitCode, exitCode);
      assert.equal(data.program ?? data.user, code === 'NO_SUCH_USER' ? user : command[0]);
      await assertSameFootprint(still);
      assert.equal((await lab.engine.run(image, ['true'], offline)).exitCode, 0);
    };
    const what = `${command.join(' ')}${user === undefined ? '' : ` as ${user}`}`;
    test(`run ${what}`, () => check(lab.engine.run(image, command, { ...offline, ...options })));
    test(`exec ${what}`, () => check(long.exec(command, options)));
    test(`start ${what}`, async () => {
      const container = await lab.engine.containers.create({ image, command, ...offline, ...options });
      await rejection(container.start(), code);
      assert.equal(container.status, 'created', 'a failed start changes nothing');
      const work = container.start();
      await work.catch(() => undefined);
      await container.remove();
      await check(work);
    });
  }

  test('a group by name that does not exist', async () => {
    const error = await rejection(lab.engine.run(image, ['true'], { ...offline, groupAdd: ['nope'] }), 'NO_SUCH_USER');
    assert.match(error.message, /nope/);
    await assertSameFootprint(still);
  });

  test('a name that is taken; the holder is named and the name is free after its removal', async () => {
    const options = { image, command: ['true'], name: 'taken', ...offline };
    const first = await lab.engine.containers.create(options);
    const error = await rejection(lab.engine.containers.create(options), 'NAME_TAKEN');
    assert.equal(error.data.name, 'taken');
    assert.ok(error.data.by.includes(first.id.slice(0, 12)));
    const other = await Engine.open(lab.options);
    await rejection(other.containers.create(options), 'NAME_TAKEN');
    await other.close();
    await first.remove();
    await (await lab.engine.containers.create(options)).remove();
    await assertSameFootprint(still);
  });

  test('of many that want one name at once exactly one gets it', async () => {
    const options = { image, command: ['true'], name: 'popular', ...offline };
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lab.engine.containers.create(options)));
    const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    assert.equal(made.length, 1);
    for (const each of made) await each.remove();
    await assertSameFootprint(still);
  });

  test('states: what is not running, and what is gone', async () => {
    const container = await lab.engine.containers.create({ image, command: ['sh', '-c', 'exit 3'], ...offline });
    assert.equal((await rejection(container.exec(['true']), 'WRONG_STATE')).data.status, 'created');
    await rejection(container.kill(), 'WRONG_STATE');
    await rejection(container.wait(), 'WRONG_STATE');
    await container.start();
    assert.equal((await container.wait()).exitCode, 3);
    assert.equal((await rejection(container.exec(['true']), 'WRONG_STATE')).data.status, 'exited');
    await container.remove();
    assert.equal((await container.wait()).exitCode, 3, 'an exit is known after the removal');
    await rejection(container.start(), 'NO_SUCH_CONTAINER');
    await rejection(lab.engine.containers.get(container.id), 'NO_SUCH_CONTAINER');
    await rejection(lab.engine.containers.get('no-such-name'), 'NO_SUCH_CONTAINER');
    await container.remove(); // removing what is gone is fine
    await assertSameFootprint(still);
  });

  test('a running container is neither started nor removed without force', async () => {
    await rejection(long.start(), 'WRONG_STATE');
    await rejection(long.remove(), 'WRONG_STATE');
    assert.equal(long.status, 'running');
  });

  test('a restart that fails leaves the earlier exit', async () => {
    const volume = join(lab.directory, 'volume');
    await mkdir(volume);
    const mounts = [{ type: 'bind', source: volume, target: '/volume' } as const];
    const container = await lab.engine.containers.create({
      image,
      command: ['sh', '-c', 'exit 7'],
      mounts,
      ...offline,
    });
    await container.start();
    assert.equal((await container.wait()).exitCode, 7);
    await rm(volume, { recursive: true });
    const error = await rejection(container.start(), 'LAUNCH_FAILED');
    assert.ok(error.data.operand.includes(volume));
    assert.equal(container.status, 'exited');
    assert.equal((await container.wait()).exitCode, 7);
    await container.remove();
    await assertSameFootprint(still);
  });

  test('bounds of buffered output that are no bounds', async () => {
    for (const maxOutputBytes of [Number.NaN, -1, 1.5]) {
      await rejection(lab.engine.run(image, ['true'], { ...offline, maxOutputBytes }), 'INVALID_OPTION');
      await rejection(long.exec(['true'], { maxOutputBytes }), 'INVALID_OPTION');
    }
    await rejection(lab.engine.run(image, ['true'], { ...offline, timeoutMs: Number.NaN }), 'INVALID_OPTION');
    const error = await rejection(
      lab.engine.run(image, ['sleep', '100'], { ...offline, timeoutMs: 50 }),
      'RUN_TIMEOUT',
    );
    assert.equal(error.data.timeoutMs, 50);
    await assertSameFootprint(still);
  });
});

describe('a hostile image configuration is an error or harmless', () => {
  let lab: EngineLab;

  before(async () => {
    lab = await openEngineLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  const refused: readonly (readonly [name: string, run: object, operand: string])[] = [
    ['User 4294967296', { User: '4294967296' }, '4294967296'],
    ['User -1', { User: '-1' }, '-1'],
    ['User 2147483648', { User: '2147483648' }, '2147483648'],
    ['WorkingDir relative', { WorkingDir: 'relative' }, 'relative'],
    ['Env without a name', { Env: ['=value'] }, 'Env'],
    ['Entrypoint of nothing', { Entrypoint: [''], Cmd: [] }, 'command'],
    ['no command at all', { Entrypoint: null, Cmd: null }, 'command'],
    ['StopSignal SIGEVIL', { StopSignal: 'SIGEVIL' }, 'SIGEVIL'],
  ];
  for (const [name, run, operand] of refused) {
    test(name, async () => {
      const error = await rejection(lab.engine.run(lab.image([], run), undefined, offline), 'INVALID_OPTION');
      assert.ok(JSON.stringify(error.data).includes(operand), error.message);
      assert.deepEqual(await readdir(join(lab.options.root, 'containers')), []);
    });
  }

  const fields: readonly (readonly [name: string, run: object])[] = [
    ['Env of numbers', { Env: [5] }],
    ['User of NUL', { User: 'a\0b' }],
    ['Cmd as a text', { Cmd: 'sh' }],
    ['Labels of objects', { Labels: { a: {} } }],
  ];
  for (const [name, run] of fields) {
    test(`${name} is refused by the pull`, async () => {
      await rejection(lab.engine.images.pull(lab.image([], run)), 'INVALID_MANIFEST');
    });
  }

  /** Start and exec both read these files as root, before any right is given up. */
  const accounts: readonly (readonly [name: string, entries: TarMember[], code: 'NO_SUCH_USER' | undefined])[] = [
    ['a huge /etc/passwd', [file('etc/passwd', Buffer.alloc(8 * 1024 * 1024, 'a'))], 'NO_SUCH_USER'],
    ['/etc/passwd as a FIFO', [{ name: 'etc/passwd', type: '6' }], 'NO_SUCH_USER'],
    ['/etc/passwd as a directory', [file('etc/passwd/x', '')], 'NO_SUCH_USER'],
    ['/etc/passwd in a circle', [link('etc/passwd', 'passwd')], 'NO_SUCH_USER'],
    ['/etc/passwd as a link to a device', [link('etc/passwd', '/dev/zero')], 'NO_SUCH_USER'],
    ['/etc/passwd as a link out', [link('etc/passwd', '../../../../../../etc/shadow')], undefined],
    ['/etc/passwd with long lines and bytes', [file('etc/passwd', `${'x:'.repeat(50_000)}\n\xff\0:\n`)], undefined],
    ['/etc/group as a FIFO', [{ name: 'etc/group', type: '6' }], 'NO_SUCH_USER'],
  ];
  for (const [name, entries, code] of accounts) {
    test(name, async () => {
      const image = lab.image(entries);
      const work = lab.engine.run(image, ['id', '-u'], offline);
      if (code === undefined) assert.equal((await work).stdout, '0\n');
      else await rejection(work, code);
      if (code !== undefined) return;
      await rejection(lab.engine.run(image, ['true'], { ...offline, user: 'root' }), 'NO_SUCH_USER');
    });
  }

  test('diff_ids that do not match the layers', async () => {
    const reference = publishImage(lab.registry, 'lab/mismatch', {
      layers: [tarOf(file('a', 'a'))],
      changeConfig: (config) => ({ ...config, rootfs: { type: 'layers', diff_ids: [`sha256:${'1'.repeat(64)}`] } }),
    });
    await rejection(lab.engine.run(reference, ['true'], offline), 'DIGEST_MISMATCH');
  });

  const linked: readonly (readonly [name: string, path: string])[] = [
    ['/proc', 'proc'],
    ['/dev', 'dev'],
    ['/sys', 'sys'],
  ];
  for (const [name, path] of linked) {
    test(`${name} as a link is refused`, async () => {
      const image = lab.image([link(path, `/tmp/tsc-${path}`), directory(`tmp/tsc-${path}`)]);
      const error = await rejection(lab.engine.run(image, ['true'], offline), 'LAUNCH_FAILED');
      assert.ok(error.data.operand.includes(name), error.message);
      assert.equal(existsSync(`/tmp/tsc-${path}`), false);
    });
  }

  test('/etc/hosts and its neighbours as links that lead out are made inside', async () => {
    const image = lab.image([
      directory('etc/cron.d'),
      link('etc/hosts', '../../../../../../etc/cron.d/tsc-hosts'),
      link('etc/resolv.conf', '../run/systemd/resolve/stub-resolv.conf'),
      link('etc/hostname', '/var/tsc/hostname'),
    ]);
    const script =
      'cat /etc/cron.d/tsc-hosts /run/systemd/resolve/stub-resolv.conf >/dev/null && cat /var/tsc/hostname';
    const { stdout, stderr } = await lab.engine.run(image, ['sh', '-c', script], { ...offline, hostname: 'inside' });
    assert.deepEqual({ stdout, stderr }, { stdout: 'inside\n', stderr: '' });
    for (const path of ['/etc/cron.d/tsc-hosts', '/var/tsc']) assert.equal(existsSync(path), false, path);
  });

  test('/etc/hosts as a circle of links is refused', async () => {
    const image = lab.image([link('etc/hosts', 'hosts')]);
    const error = await rejection(lab.engine.run(image, ['true'], offline), 'LAUNCH_FAILED');
    assert.ok(error.data.operand.includes('/etc/hosts'), error.message);
  });

  test('a mount whose target is a link out of the root stays inside', async () => {
    const image = lab.image([link('data', '../../../../../../var/tsc-data')]);
    const mounts = [{ type: 'tmpfs', target: '/data' } as const];
    const { stdout } = await lab.engine.run(image, ['sh', '-c', 'grep -c " /var/tsc-data " /proc/mounts'], {
      ...offline,
      mounts,
    });
    assert.equal(stdout, '1\n');
    assert.equal(existsSync('/var/tsc-data'), false);
  });

  test('a mount whose target is a link to the root itself is refused', async () => {
    const image = lab.image([link('data', '/')]);
    for (const mount of [
      { type: 'tmpfs', target: '/data' },
      { type: 'bind', source: '/tmp', target: '/data' },
    ] as const) {
      const error = await rejection(lab.engine.run(image, ['true'], { ...offline, mounts: [mount] }), 'LAUNCH_FAILED');
      assert.ok(error.data.operand.includes('/data'), error.message);
    }
  });

  test('and an honest image runs', async () => {
    const image = lab.image([], { User: 'user', WorkingDir: '/tmp/made', Env: ['A=1'], Entrypoint: ['sh', '-c'] });
    const { stdout } = await lab.engine.run(image, ['echo $(id -un) $PWD $A'], offline);
    assert.equal(stdout, 'user /tmp/made 1\n');
  });
});
