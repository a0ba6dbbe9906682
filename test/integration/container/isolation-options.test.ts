import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { ContainerOptions } from 'tscontainer';
import { eventually } from '../../helpers/eventually.js';
import { type OptionsLab, openOptionsLab } from '../../helpers/options-lab.js';
import { rejection } from '../../helpers/rejection.js';

describe('isolation options', () => {
  let options: OptionsLab;
  before(async () => {
    options = await openOptionsLab();
  });
  after(() => options[Symbol.asyncDispose]());

  const kinds = ['pid', 'ipc', 'uts', 'cgroup', 'mnt', 'net'] as const;
  const all = kinds.map((kind) => `ns:${kind}`);

  test('namespaces are the container’s own, or the host’s', async () => {
    const host = await options.seeOnHost(...all);
    const own = await options.see({}, ...all);
    for (const key of all) assert.notEqual(own[key], host[key], key);
    const shared = await options.see(
      { pid: 'host', ipc: 'host', uts: 'host', cgroupns: 'host', network: 'host' },
      ...all,
    );
    for (const key of all) assert.equal(shared[key] === host[key], key !== 'ns:mnt', key);
  });

  test('namespaces can be those of another container, which must be running', async () => {
    await using other = await options.start({ name: 'other' });
    const theirs = await options.seeIn(other, all);
    for (const reference of [other.id, 'other', other.id.slice(0, 8)] as const) {
      const mode = `container:${reference}` as const;
      const seen = await options.see({ pid: mode, ipc: mode }, ...all);
      for (const key of all) assert.equal(seen[key] === theirs[key], key === 'ns:pid' || key === 'ns:ipc', key);
    }
    await using container = await options.start({ pid: 'container:other', ipc: 'container:other' });
    assert.deepEqual(
      await options.seeIn(container, ['ns:pid', 'ns:ipc']),
      await options.seeIn(other, ['ns:pid', 'ns:ipc']),
    );
    await other.exec(['sh', '-c', 'echo shared > /dev/shm/word']);
    assert.equal((await container.exec(['cat', '/dev/shm/word'])).stdout, 'shared\n');
    await other.stop({ timeoutMs: 0 });
    await container.wait(); // its PID namespace is gone
    const error = await rejection(container.start(), 'WRONG_STATE');
    assert.equal(error.data.id, other.id);
    await rejection(options.start({ pid: 'container:nobody' }), 'NO_SUCH_CONTAINER');
  });

  test('all processes end with the first, in whatever PID namespace', async () => {
    await using other = await options.start();
    for (const pid of ['host', `container:${other.id}`] as const) {
      const command = ['sh', '-c', 'sleep 54321 & sleep 54321 & echo $!; [ -e /stay ] || exit 7'];
      await using container = await options.start({ pid, command });
      assert.equal((await container.wait()).exitCode, 7);
      await eventually(`nothing is left with pid ${pid}`, () => !isRunning('54321'));
    }
    assert.equal(other.status, 'running');
  });

  test('ipc: host has the host’s /dev/shm, none has none', async () => {
    assert.match((await options.see({}, 'mount:/dev/shm'))['mount:/dev/shm'] ?? '', /^tmpfs .*size=65536k/);
    assert.match((await options.see({ shmSize: '32m' }, 'mount:/dev/shm'))['mount:/dev/shm'] ?? '', /size=32768k/);
    assert.equal((await options.see({ ipc: 'none' }, 'mount:/dev/shm'))['mount:/dev/shm'], 'none');
    const { stdout } = await options.lab.engine.run(options.image, ['ls', '-di', '/dev/shm'], {
      ipc: 'host',
      network: 'none',
    });
    assert.equal(Number.parseInt(stdout, 10), statSync('/dev/shm').ino);
  });

  test('host name and domain name are seen', async () => {
    assert.equal((await options.see({ hostname: 'box', domainname: 'example.org' }, 'uts')).uts, 'box example.org');
    const host = await options.seeOnHost('uts');
    assert.equal((await options.see({ uts: 'host' }, 'uts')).uts, host.uts);
  });

  test('devices are there, with the access that was given', async () => {
    const key = 'device:/dev/kmsg';
    assert.match((await options.see({}, key))[key] ?? '', /^errno 2/);
    const found = await options.see(
      { devices: ['/dev/kmsg:/dev/log-of-kernel:r'], capAdd: ['SYSLOG'] },
      'device:/dev/log-of-kernel',
    );
    assert.match(found['device:/dev/log-of-kernel'] ?? '', /^c 1:11 \d+ open$/);
    const closed = await options.see(
      { devices: [{ source: '/dev/kmsg', access: 'w' }], capAdd: ['SYSLOG'] },
      key,
      'write:/dev/kmsg',
    );
    assert.match(closed[key] ?? '', /Operation not permitted$/);
    assert.equal(closed['write:/dev/kmsg'], 'yes');
    const command = ['sh', '-c', 'mknod /k c 1 11 && head -c 1 /k >/dev/null && echo read'];
    const run = async (rules: readonly string[]): Promise<string> =>
      (
        await options.lab.engine.run(options.image, command, {
          network: 'none',
          capAdd: ['SYSLOG'],
          deviceCgroupRules: rules,
        })
      ).stdout;
    assert.deepEqual([await run([]), await run(['c 1:11 r']), await run(['a *:* rwm'])], ['', 'read\n', 'read\n']);
  });

  test('tmpfs has the options that were given', async () => {
    const seen = await options.see(
      { tmpfs: { '/run': 'size=1m,mode=0700,exec', '/scratch': '', '/fixed': 'ro,uid=7' } },
      ...['mount:/run', 'mount:/scratch', 'write:/scratch', 'write:/fixed'],
    );
    assert.match(seen['mount:/run'] ?? '', /^tmpfs rw,nosuid,nodev,relatime .*size=1024k,mode=700/);
    assert.match(seen['mount:/scratch'] ?? '', /^tmpfs rw,nosuid,nodev,noexec,/);
    assert.deepEqual([seen['write:/scratch'], seen['write:/fixed']], ['yes', 'Read-only file system']);
  });

  test('kernel parameters are those of the container alone', async () => {
    const key = 'file:/proc/sys/kernel/msgmax';
    const host = await options.seeOnHost(key);
    const sysctls = { 'kernel.msgmax': '12345', 'net.ipv4.ip_unprivileged_port_start': '99' };
    const seen = await options.see({ sysctls }, key, 'file:/proc/sys/net/ipv4/ip_unprivileged_port_start');
    assert.deepEqual(Object.values(seen), ['12345', '99']);
    assert.deepEqual(await options.seeOnHost(key), host);
  });

  test('user, groups, limits, OOM score and a read-only root are seen', async () => {
    const seen = await options.see(
      {
        user: '1000:1000',
        groupAdd: ['extra', '77'],
        oomScoreAdj: 321,
        readonly: true,
        ulimits: { nofile: { soft: 99, hard: 101 } },
      },
      ...['ids', 'file:/proc/self/oom_score_adj', 'limit:Max open files', 'mount:/'],
    );
    assert.match(seen['ids'] ?? '', /^1000:1000( \d+)* 77$|^1000:1000.* 2000.*$/);
    assert.deepEqual([seen['file:/proc/self/oom_score_adj'], seen['limit:Max open files']], ['321', ' 99 101 files']);
    assert.match(seen['mount:/'] ?? '', /^overlay ro,/);
  });

  test('init is process 1, reaps what is orphaned, passes signals on and ends with the program', async () => {
    assert.equal((await options.see({}, 'pid')).pid, '1 0');
    assert.equal((await options.see({ init: true }, 'pid')).pid, '2 1');
    const script = 'trap "exit 9" USR1; (sleep 0.01 &) ; echo ready; while :; do sleep 0.01; done';
    await using container = await options.start({ init: true, command: ['sh', '-c', script] });
    for await (const line of container.logs({ follow: true })) if (line.text === 'ready') break;
    await eventually('the orphan was reaped', async () => {
      const { stdout } = await container.exec(['sh', '-c', 'cat /proc/[0-9]*/stat']);
      return !stdout.includes(' Z ');
    });
    await container.kill('SIGUSR1');
    assert.equal((await container.wait()).exitCode, 9);
    const run = async (command: readonly string[]): Promise<number> =>
      (await options.lab.engine.run(options.image, command, { init: true, network: 'none' })).exitCode;
    assert.deepEqual([await run(['sh', '-c', 'exit 5']), await run(['sh', '-c', 'kill -9 $$'])], [5, 137]);
    const missing = options.lab.engine.run(options.image, ['/missing'], { init: true, network: 'none' });
    await rejection(missing, 'PROGRAM_NOT_FOUND');
  });

  test('with init and a terminal, the terminal’s signals reach the program once', async () => {
    const command = [
      'sh',
      '-c',
      'trap "echo caught" INT; echo ready; for i in 1 2 3 4 5 6; do sleep 0.05; done; exit 4',
    ];
    await using container = await options.start({ init: true, tty: true, openStdin: true, command });
    await using attached = await container.attach({ logs: true });
    let text = '';
    for await (const chunk of attached.stdout ?? []) {
      text += String(chunk);
      if (text.includes('ready') && !text.includes('^C')) attached.stdin?.write('\x03');
    }
    assert.equal((await container.wait()).exitCode, 4);
    assert.equal(text.split('caught').length - 1, 1, text);
  });

  test('nonsense and contradictions are refused with the name of the option, and leave nothing', async () => {
    const rows: readonly (readonly [string, object])[] = [
      ['pid', { pid: 'mine' }],
      ['uts', { uts: 'container:x' }],
      ['userns', { userns: 'private' }],
      ['hostname', { uts: 'host', hostname: 'box' }],
      ['domainname', { domainname: 'a b' }],
      ['shmSize', { ipc: 'host', shmSize: 1 }],
      ['devices', { devices: ['/dev/missing'] }],
      ['devices', { devices: ['/etc/passwd'] }],
      ['devices', { devices: ['/dev/null:/dev/null:rx'] }],
      ['deviceCgroupRules', { deviceCgroupRules: ['c 1:3'] }],
      ['tmpfs', { tmpfs: { '/': '' } }],
      ['tmpfs', { tmpfs: { '/run': 'nosuch' } }],
      ['tmpfs', { tmpfs: { '/run': 'size=lots' } }],
      ['sysctls', { sysctls: { 'kernel.panic': '1' } }],
      ['sysctls', { network: 'host', sysctls: { 'net.ipv4.ip_forward': '1' } }],
      ['sysctls', { ipc: 'host', sysctls: { 'kernel.msgmax': '1' } }],
      ['cgroupParent', { cgroupParent: '../../up' }],
    ];
    for (const [option, wanted] of rows) {
      const error = await rejection(options.start(wanted as Partial<ContainerOptions>), 'INVALID_OPTION');
      assert.ok(error.data.option.startsWith(option), `${error.data.option} for ${JSON.stringify(wanted)}`);
    }
    assert.deepEqual(await options.lab.engine.containers.list(), []);
  });
});

/** Whether some process of this machine has this word in its command line. */
function isRunning(word: string): boolean {
  return readdirSync('/proc').some((pid) => {
    const path = `/proc/${pid}/cmdline`;
    if (!/^\d+$/.test(pid) || !existsSync(path)) return false;
    try {
      return readFileSync(path, 'latin1').split('\0').includes(word);
    } catch {
      return false; // it ends in this moment
    }
  });
}
