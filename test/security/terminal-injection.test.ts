import assert from 'node:assert/strict';
import { test } from 'node:test';
import { file } from '../helpers/busybox-layer.js';
import { compileProbe } from '../helpers/compile-probe.js';
import { openEngineLab } from '../helpers/engine-lab.js';

const offline = { network: 'none' } as const;
/** Fields 6 and 7 of proc(5), stat: session and controlling terminal. */
const session = ['sh', '-c', 'set -- $(cat /proc/$$/stat); echo $([ $6 = $$ ] && echo own) $7'];

// CVE-2017-5226: a process in the session of the host's terminal types into it.
test('a container has a session of its own and no terminal of the host', async () => {
  await using lab = await openEngineLab();
  const image = lab.image([file('probe', await compileProbe('attack-probe'), 0o755)]);
  const container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
  await container.start();
  assert.equal((await lab.engine.run(image, session, offline)).stdout, 'own 0\n');
  assert.equal((await container.exec(session)).stdout, 'own 0\n');
  const { stdout } = await lab.engine.run(image, ['/probe', 'inject'], offline);
  assert.match(stdout, /^TIOCSTI 25$/m, 'ENOTTY: its input is no terminal');
  assert.match(stdout, /^open-tty 6$/m, 'ENXIO: it has no controlling terminal');

  const shell = await container.spawn(['sh', '-c', 'tty; readlink /proc/$$/fd/0'], { tty: { columns: 80, rows: 24 } });
  const output: Buffer[] = [];
  for await (const chunk of shell.stdout ?? []) output.push(chunk as Buffer);
  assert.equal(Buffer.concat(output).toString(), '/dev/pts/0\r\n/dev/pts/0\r\n', 'one that was asked for is its own');
  assert.equal((await shell.wait()).exitCode, 0);
  await container.remove({ force: true });
});
