import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Engine } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../../helpers/engine-lab.js';
import { externalRuntime, externalRuntimes } from '../../../helpers/external-runtime.js';

for (const name of externalRuntimes) {
  describe(`an engine whose containers are made by ${name}`, () => {
    let runtime: Awaited<ReturnType<typeof externalRuntime>>;
    let lab: EngineLab;
    let image: string;

    before(async () => {
      runtime = await externalRuntime(name);
      lab = await openEngineLab({ runtime: runtime.program });
      image = lab.image([
        { name: 'etc/passwd', content: 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1001::/home/alice:/bin/sh\n' },
        { name: 'etc/group', content: 'root:x:0:\nalice:x:1001:\nstaff:x:50:alice\n' },
      ]);
    });
    after(async () => {
      await lab[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    });

    test('runs programs with the image’s users, a network, an environment and input', async () => {
      const result = await lab.engine.run(image, ['sh', '-c', 'id; cat; echo $A $HOME; hostname; ls /sys/class/net'], {
        user: 'alice',
        env: { A: '1' },
        hostname: 'here',
        input: 'typed\n',
      });
      assert.deepEqual(result.stdout.split('\n'), [
        'uid=1000(alice) gid=1001(alice) groups=50(staff),1001(alice)',
        'typed',
        '1 /home/alice',
        'here',
        'eth0',
        'lo',
        '',
      ]);
      assert.deepEqual([result.exitCode, result.stderr], [0, '']);
    });

    test('limits, rights and what is hidden are those that were asked for', async () => {
      const words = ['sh', '-c', 'cat /proc/self/status; touch /x; ls /proc/kcore /dev; ulimit -n; cat /tmp/f'];
      const { stdout, stderr } = await lab.engine.run(image, words, {
        capDrop: ['ALL'],
        capAdd: ['CHOWN'],
        noNewPrivileges: true,
        readonly: true,
        ulimits: { nofile: 77 },
        network: 'none',
        tmpfs: { '/tmp': 'size=1m' },
        mounts: [{ type: 'bind', source: '/etc/hostname', target: '/bound', readonly: true }],
      });
      assert.match(stdout, /CapEff:\s*0+1\n/);
      assert.match(stdout, /NoNewPrivs:\s*1\n/);
      assert.match(stdout, /Seccomp:\s*2\n/);
      assert.match(stdout, /^77$/m);
      assert.match(stderr, /touch: \/x: Read-only file system/);
    });

    test('memory beyond the limit ends it, and the limit is that of the engine’s group', async () => {
      const hog = ['sh', '-c', 'x=$(head -c 60000000 /dev/zero | tr "\\0" x); echo survived'];
      const { exitCode, oomKilled, stdout } = await lab.engine.run(image, hog, { memory: '32m', network: 'none' });
      assert.deepEqual([exitCode, oomKilled, stdout], [137, true, '']);
    });

    test('is started, joined, paused, logged, stopped and started again', async () => {
      const container = await lab.engine.containers.create({
        image,
        command: ['sh', '-c', 'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.05; done'],
        network: 'none',
      });
      for (let round = 0; round < 2; round += 1) {
        await container.start();
        const { exitCode, stdout, stderr } = await container.exec(['sh', '-c', 'id -un; echo err >&2; exit 4'], {
          user: 'alice',
        });
        assert.deepEqual([exitCode, stdout, stderr], [4, 'alice\n', 'err\n']);
        await assert.rejects(container.exec(['missing']), { code: 'PROGRAM_NOT_FOUND' });
        await assert.rejects(container.exec(['/etc/passwd']), { code: 'PROGRAM_NOT_EXECUTABLE' });
        await container.pause();
        assert.equal((await container.inspect()).status, 'paused');
        await container.unpause();
        assert.ok((await container.top()).length > 0);
        assert.equal((await container.stop()).exitCode, 7);
      }
      const lines: string[] = [];
      for await (const { text } of container.logs()) lines.push(text);
      assert.deepEqual(lines, ['up', 'bye', 'up', 'bye']);
      await container.remove();
    });

    test('has a terminal', async () => {
      const container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], network: 'none' });
      await container.start();
      const shell = await container.spawn(['sh', '-c', 'stty size; tty; read x; echo "got $x"'], {
        tty: { columns: 101, rows: 33 },
      });
      let output = '';
      let isTyped = false;
      shell.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8');
        if (isTyped || !output.includes('/dev/pts/')) return; // what is typed is echoed at once
        isTyped = true;
        shell.stdin?.write('word\n');
      });
      if (shell.stdout !== undefined) await once(shell.stdout, 'close');
      assert.match(output, /33 101\r\n\/dev\/pts\/\d+\r\n[\s\S]*got word\r\n/);
      assert.equal((await shell.wait()).exitCode, 0);
      await container.remove({ force: true });
    });

    test('a program or a user that does not exist is told as ever', async () => {
      await assert.rejects(lab.engine.run(image, ['missing'], { network: 'none' }), { code: 'PROGRAM_NOT_FOUND' });
      await assert.rejects(lab.engine.run(image, ['true'], { user: 'bob', network: 'none' }), { code: 'NO_SUCH_USER' });
      await assert.rejects(lab.engine.run(image, ['true'], { init: true, network: 'none' }), {
        code: 'INVALID_OPTION',
      });
    });
  });
}

test('a runtime that does not exist is told when the engine is opened', async () => {
  await assert.rejects(Engine.open({ runtime: 'no-such-runtime' }), { code: 'UNSUPPORTED_HOST' });
});
