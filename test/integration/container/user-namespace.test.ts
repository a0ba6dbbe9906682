import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import type { ContainerOptions } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';

const HOST_ID = 300_000;
const range = [{ containerId: 0, hostId: HOST_ID, size: 65_536 }];
const userns = { uids: range, gids: range };

for (const layerStore of ['overlay', 'copy'] as const) {
  describe(`a container in a user namespace of its own, on ${layerStore}`, () => {
    let lab: EngineLab;
    let image: string;

    before(async () => {
      lab = await openEngineLab({ layerStore });
      image = lab.image([
        { name: 'etc/passwd', content: 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1001::/home/alice:/bin/sh\n' },
        { name: 'home/alice/', type: '5', mode: 0o755, uid: 1000, gid: 1001 },
        { name: 'home/alice/file', content: 'hers', uid: 1000, gid: 1001, mode: 0o600 },
      ]);
      await lab.engine.images.pull(image);
    });
    after(() => lab[Symbol.asyncDispose]());

    const run = (script: string, options: Partial<ContainerOptions> = {}) =>
      lab.engine.run(image, ['sh', '-c', script], { userns, network: 'none', ...options });

    test('its root is nobody on the host, and files of the image belong to whom they belong', async () => {
      const container = await lab.engine.containers.create({
        image,
        command: ['sh', '-c', 'id; stat -c "%u %g %n" / /bin/sh /home/alice/file; touch /made; sleep 1000'],
        userns,
        network: 'none',
      });
      await container.start();
      const { pid } = await container.inspect();
      const { stdout } = await container.exec([
        'sh',
        '-c',
        'cat /proc/self/uid_map; id -u; stat -c %u /made /etc/hosts',
      ]);
      assert.match(stdout, /^\s+0\s+300000\s+65536\n0\n0\n0\n$/);
      assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Uid:\t300000\t300000\t300000\t300000$/m);
      assert.notEqual(readlinkSync(`/proc/${pid}/ns/user`), readlinkSync('/proc/self/ns/user'));
      const alice = await container.exec(['sh', '-c', 'cat ~/file; id -u; id -g'], { user: 'alice' });
      assert.equal(alice.stdout, 'hers1000\n1001\n');
      await container.kill();
      await container.wait();
      const lines: string[] = [];
      for await (const { text } of container.logs()) lines.push(text);
      assert.deepEqual(lines, [
        'uid=0(root) gid=0(root) groups=0(root)',
        '0 0 /',
        '0 0 /bin/sh',
        '1000 1001 /home/alice/file',
      ]);
      // What it has written is the container’s root’s on the disk, too: an image made of it is like any other.
      await container.start();
      assert.equal((await container.exec(['stat', '-c', '%u', '/made'])).stdout, '0\n');
      await container.remove({ force: true });
    });

    test('it has devices, a terminal’s file system, its output’s files, and no right over the host', async () => {
      const { stdout, stderr, exitCode } = await run(
        [
          'echo null > /dev/null',
          'head -c 3 /dev/zero | wc -c',
          'echo out > /dev/stdout; echo err > /dev/stderr',
          'mount -t tmpfs none /home 2>/dev/null && echo mounted',
          'mknod /dev/mine c 1 3 2>/dev/null && echo made',
          'cat /proc/sys/kernel/ns_last_pid > /dev/null; echo 1 2>/dev/null > /proc/sys/vm/drop_caches && echo dropped',
          'ls /dev/pts/ptmx /dev/shm -d /sys/kernel; hostname',
        ].join('; '),
        { hostname: 'inside', capAdd: ['SYS_ADMIN', 'MKNOD'], seccomp: 'unconfined' },
      );
      assert.deepEqual(stdout.split('\n'), [
        '3',
        'out',
        'mounted', // within its own mount namespace: it is root there
        '/dev/pts/ptmx',
        '/dev/shm',
        '/sys/kernel',
        'inside',
        '',
      ]);
      assert.deepEqual([stderr, exitCode], ['err\n', 0]);
    });

    test('what is mounted from the host belongs to whom it belongs there', async () => {
      const shared = join(lab.directory, 'shared');
      mkdirSync(shared, { recursive: true });
      writeFileSync(join(shared, 'roots'), 'r', { mode: 0o600 });
      writeFileSync(join(shared, 'its'), 'i', { mode: 0o600 });
      chownSync(join(shared, 'its'), HOST_ID, HOST_ID);
      chownSync(shared, HOST_ID, HOST_ID);
      const { stdout } = await run('stat -c %u /s/roots /s/its; cat /s/its; cat /s/roots 2>/dev/null; touch /s/new', {
        mounts: [{ type: 'bind', source: shared, target: '/s' }],
      });
      assert.equal(stdout, '65534\n0\ni');
      assert.equal(statSync(join(shared, 'new')).uid, HOST_ID);
    });

    test('has a network, limits and a terminal', async () => {
      const { stdout } = await run('ip addr show eth0 | grep -c "inet "; cat /etc/hosts | tail -n 1', {
        network: 'bridge',
        memory: '32m',
        sysctls: { 'net.ipv4.ip_unprivileged_port_start': '80' },
      });
      assert.match(stdout, /^1\n/);
      const container = await lab.engine.containers.create({
        image,
        command: ['sh', '-c', 'stty size; tty; sleep 1000'],
        tty: { columns: 90, rows: 20 },
        userns,
        network: 'none',
      });
      await container.start();
      const shell = await container.spawn(['sh', '-c', 'stty size; tty'], { tty: { columns: 80, rows: 22 } });
      assert.equal(await text(shell.stdout ?? Readable.from([])), '22 80\r\n/dev/pts/1\r\n');
      await container.remove({ force: true });
    });
  });
}

describe('a user namespace that cannot be', () => {
  let lab: EngineLab;
  before(async () => {
    lab = await openEngineLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  const cases: Readonly<Record<string, { readonly options: object; readonly option: string }>> = {
    'a text': { options: { userns: 'private' }, option: 'userns' },
    'no ranges': { options: { userns: { uids: [], gids: range } }, option: 'userns.uids' },
    'no gids': { options: { userns: { uids: range } }, option: 'userns.gids' },
    'no root': {
      options: { userns: { uids: [{ containerId: 1, hostId: 1, size: 1 }], gids: range } },
      option: 'userns.uids',
    },
    'a range beyond the last id': {
      options: { userns: { uids: [{ containerId: 0, hostId: 4_294_967_290, size: 10 }], gids: range } },
      option: 'userns.uids',
    },
    'ranges that overlap': {
      options: { userns: { uids: range, gids: [...range, { containerId: 65_535, hostId: 0, size: 1 }] } },
      option: 'userns.gids',
    },
    'privileged beside': { options: { userns, privileged: true }, option: 'privileged' },
    'the host’s processes beside': { options: { userns, pid: 'host' }, option: 'pid' },
    'the host’s network beside': { options: { userns, network: 'host' }, option: 'network' },
    'the host’s root beside': { options: { userns, rootfs: { host: true } }, option: 'rootfs' },
  };
  for (const [title, { options, option }] of Object.entries(cases)) {
    test(`${title} is refused with the name of the option`, async () => {
      const image = 'rootfs' in options ? {} : { image: lab.image() };
      await assert.rejects(lab.engine.containers.create({ ...image, ...options }), (error: { data?: object }) => {
        assert.equal(Reflect.get(error, 'code'), 'INVALID_OPTION');
        assert.equal(Reflect.get(error.data ?? {}, 'option'), option);
        return true;
      });
      assert.deepEqual(await lab.engine.containers.list(), []);
    });
  }
});
