import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container } from 'tscontainer';
import { directory, file } from '../../helpers/busybox-layer.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';

const offline = { network: 'none' } as const;

/** What a program finds around it when it starts, as the first of a container and as one that joins. */
describe('the surroundings of a program', () => {
  let lab: EngineLab;
  let image: string;
  let long: Container;
  before(async () => {
    lab = await openEngineLab();
    const script = '#!/bin/sh\necho "$0 from $PWD"\n';
    image = lab.image([
      directory('opt/tools'),
      file('opt/tools/hello', script, 0o755),
      file('opt/here', script, 0o755),
    ]);
    long = await lab.engine.containers.create({ image, command: ['sleep', '1000'], hostname: 'box', ...offline });
    await long.start();
  });
  after(() => lab[Symbol.asyncDispose]());

  /** Output of a command, the same in both places. */
  async function inBoth(command: readonly string[], options = {}): Promise<string> {
    const first = await lab.engine.run(image, command, { hostname: 'box', ...offline, ...options });
    const joining = await long.exec(command, options);
    assert.equal(joining.stdout, first.stdout, 'a joining process has the same');
    assert.equal(joining.stderr + first.stderr, '');
    return first.stdout;
  }

  test('environment: PATH, HOSTNAME and HOME, nothing of the host', async () => {
    process.env['TSC_TEST_SECRET'] = 'x';
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    assert.equal(
      await inBoth(['sh', '-c', 'env | grep -v ^PWD= | grep -v ^SHLVL= | sort']),
      `HOME=/root\nHOSTNAME=box\n${path}\n`,
    );
    assert.equal(await inBoth(['sh', '-c', 'echo $HOME'], { user: 'user' }), '/home/user\n');
    assert.equal(await inBoth(['sh', '-c', 'echo $HOME'], { user: '4711' }), '/\n', 'who is nobody lives at the root');
    delete process.env['TSC_TEST_SECRET'];
  });

  test('a name without a slash is looked for in the PATH of the container, one with a slash from the directory', async () => {
    const env = { PATH: '/none:/opt/tools:/bin' };
    assert.equal(await inBoth(['hello'], { env }), '/opt/tools/hello from /\n');
    assert.equal(await inBoth(['./here'], { workingDir: '/opt' }), './here from /opt\n');
  });

  test('signals: none blocked, none ignored', async () => {
    const masks = await inBoth(['grep', '-E', '^Sig(Blk|Ign)', '/proc/self/status']);
    assert.equal(masks, `SigBlk:\t${'0'.repeat(16)}\nSigIgn:\t${'0'.repeat(16)}\n`);
  });

  test('umask 022, own session, and the process is its group’s leader', async () => {
    assert.equal(await inBoth(['sh', '-c', 'umask']), '0022\n');
    assert.equal(
      await inBoth(['sh', '-c', 'set -- $(cat /proc/$$/stat); [ $5 = $$ ] && [ $6 = $$ ] && echo leader']),
      'leader\n',
    );
  });

  test('limits are those of the container, or of the caller', async () => {
    const ulimits = { nofile: { soft: 123, hard: 456 }, core: 0 };
    const show = ['sh', '-c', 'ulimit -Sn; ulimit -Hn; ulimit -c'];
    assert.equal((await lab.engine.run(image, show, { ...offline, ulimits })).stdout, '123\n456\n0\n');
    await using limited = await lab.engine.containers.create({ image, command: ['sleep', '9'], ulimits, ...offline });
    await limited.start();
    assert.equal((await limited.exec(show)).stdout, '123\n456\n0\n');
  });

  test('a working directory that is missing is made, root’s and open to look into', async () => {
    const options = { ...offline, workingDir: '/new/place', user: 'user' };
    const { stdout } = await lab.engine.run(image, ['stat', '-c', '%n %u:%g %a', '.', '/new/place'], options);
    assert.equal(stdout, '. 0:0 755\n/new/place 0:0 755\n');
  });

  test('/dev: standard nodes, links, shared memory of 64 MiB, message queues', async () => {
    const nodes = await inBoth(['sh', '-c', 'cd /dev; stat -c "%n %t:%T %a" null zero full random urandom tty']);
    const expected = ['null 1:3', 'zero 1:5', 'full 1:7', 'random 1:8', 'urandom 1:9', 'tty 5:0'];
    assert.equal(nodes, expected.map((each) => `${each} 666\n`).join(''));
    const links = await inBoth(['sh', '-c', 'cd /dev; for l in fd stdin stdout stderr ptmx; do readlink $l; done']);
    assert.match(
      links,
      /^\/proc\/self\/fd\n\/proc\/self\/fd\/0\n\/proc\/self\/fd\/1\n\/proc\/self\/fd\/2\n(\/dev\/)?pts\/ptmx\n$/,
    );
    assert.match(await inBoth(['grep', '-E', ' /dev/(shm|mqueue|pts) ', '/proc/mounts']), /size=65536k/);
  });

  test('/dev/stdout can be opened again', async () => {
    assert.equal(await inBoth(['sh', '-c', 'echo one > /dev/stdout; echo two >> /dev/stdout']), 'one\ntwo\n');
  });
});
