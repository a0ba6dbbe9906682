import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { debianRoot } from '../../helpers/debian-root.js';
import { openPodmanLab } from '../../helpers/podman-lab.js';

test('podman drives the runtime', async (context) => {
  const lab = await openPodmanLab(context);
  await lab.importImage(await debianRoot(), 'localhost/debian:test');
  const options = ['--cgroup-parent', lab.group, '--network', 'none'];
  const run = (...words: readonly string[]) => lab.podman('run', ...options, ...words);
  const image = 'localhost/debian:test';

  await context.test('run gives output and exit code, and removes', async () => {
    const result = await run('--rm', image, 'sh', '-c', 'cat /etc/os-release; echo problem >&2; exit 7');
    assert.equal(result.exitCode, 7, result.stderr);
    assert.match(result.stdout, /^ID=debian$/m);
    assert.match(result.stderr, /^problem$/m);
    assert.equal((await lab.podman('ps', '--all', '--quiet')).stdout, '');
  });

  await context.test('run with a terminal gives one of its own, with the size of the caller’s', async () => {
    const script = 'tty; until [ "$(stty size)" = "33 101" ]; do :; done; echo sized; exit 3';
    const result = await lab.podmanOnTerminal('run', '--rm', '-it', ...options, image, 'sh', '-c', script);
    assert.equal(result.exitCode, 3, result.stdout);
    assert.match(result.stdout, /\/dev\/pts\/0\r\nsized\r\n/);
  });

  await context.test('a program that is missing or cannot be executed is told by the exit code', async () => {
    assert.equal((await run('--rm', image, '/missing')).exitCode, 127);
    assert.equal((await run('--rm', image, '/etc/passwd')).exitCode, 126);
  });

  await context.test(
    'limits, user, environment, host name, read-only root and masks are those of the container',
    async () => {
      const script =
        'id -u; id -G; echo $A $PWD; hostname; touch /x 2>&1; ls /proc/acpi | wc -l; cat /sys/fs/cgroup/pids/pids.max';
      const words = [
        '--rm',
        '--user',
        '12:34',
        '--group-add',
        '56',
        '-e',
        'A=b',
        '-w',
        '/usr',
        '-h',
        'box',
        '--read-only',
      ];
      const result = await run(...words, '--pids-limit', '77', image, 'sh', '-c', script);
      const lines = result.stdout.trim().split('\n');
      assert.deepEqual(lines.slice(0, 4), ['12', '34 56', 'b /usr', 'box'], result.stderr);
      assert.match(lines[4] ?? '', /Read-only file system/);
      assert.deepEqual(lines.slice(5), ['0', '77']);
    },
  );

  await context.test('a container is started detached, joined, paused, stopped and removed', async () => {
    const started = await run(
      '-d',
      '--name',
      'one',
      image,
      'sh',
      '-c',
      'trap "exit 9" TERM; echo up; sleep 1000 & wait',
    );
    assert.equal(started.exitCode, 0, started.stderr);
    const status = async () => (await lab.podman('inspect', '--format', '{{.State.Status}}', 'one')).stdout.trim();
    assert.equal(await status(), 'running');
    const joined = await lab.podman('exec', 'one', 'sh', '-c', 'cat /proc/1/comm; echo problem >&2; exit 5');
    assert.deepEqual([joined.exitCode, joined.stdout, joined.stderr], [5, 'sh\n', 'problem\n']);
    const terminal = await lab.podmanOnTerminal('exec', '-it', 'one', 'sh', '-c', 'test -t 0 && tty; exit 6');
    assert.equal(terminal.exitCode, 6, terminal.stdout);
    assert.match(terminal.stdout, /\/dev\/pts\/\d\r\n/);
    assert.equal((await lab.podman('exec', 'one', '/missing')).exitCode, 127);
    assert.equal((await lab.podman('pause', 'one')).exitCode, 0);
    assert.equal(await status(), 'paused');
    assert.equal((await lab.podman('unpause', 'one')).exitCode, 0);
    assert.equal((await lab.podman('stop', 'one')).exitCode, 0);
    assert.equal(await status(), 'exited');
    const { stdout } = await lab.podman('inspect', '--format', '{{.State.ExitCode}}', 'one');
    assert.equal(stdout, '9\n');
    assert.equal((await lab.podman('logs', 'one')).stdout, 'up\n');
    assert.equal((await lab.podman('rm', 'one')).exitCode, 0);
    assert.equal(await status(), '');
  });

  await context.test('what does not stop is killed', async () => {
    const started = await run('-d', '--name', 'two', image, 'sleep', '1000');
    assert.equal(started.exitCode, 0, started.stderr);
    assert.equal((await lab.podman('rm', '--force', '--time', '0', 'two')).exitCode, 0);
    assert.equal((await lab.podman('ps', '--all', '--quiet')).stdout, '');
  });

  await context.test('it has left no state and no group of a container', async () => {
    const state = (await lab.podman('info', '--format', '{{.Host.OCIRuntime.Path}}')).stdout
      .trim()
      .replace(/[^/]*$/, 'state');
    assert.ok(existsSync(state), state);
    assert.deepEqual(readdirSync(state), []);
  });
});
