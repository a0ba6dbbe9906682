import assert from 'node:assert/strict';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { ociLab } from '../helpers/oci-bundle.js';
import { runChecked } from '../helpers/run-checked.js';

/** Names of sockets in this network namespace; those of the abstract space begin with @. */
const socketNames = async (): Promise<string[]> => {
  const lines = (await readFile('/proc/self/net/unix', 'utf8')).trim().split('\n').slice(1);
  return lines.map((line) => line.split(/\s+/)[7] ?? '').filter((name) => name !== '');
};

// CVE-2020-15257: a shim's control socket in the abstract space is open to whoever shares the network of the host.
describe('how processes of the engine speak to each other', () => {
  let lab: EngineLab;
  before(async () => {
    lab = await openEngineLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  test('is by sockets without a name in the abstract space: a container in the host’s network reaches none', async () => {
    const earlier = new Set(await socketNames());
    for (const lifetime of ['owner', 'detached'] as const) {
      const options = { image: lab.image(), command: ['sleep', '1000'], network: 'host', lifetime } as const;
      const container = await lab.engine.containers.create(options);
      await container.start();
      const { stdout } = await container.exec(['cat', '/proc/net/unix']);
      const seen = stdout
        .trim()
        .split('\n')
        .slice(1)
        .flatMap((line) => line.split(/\s+/).slice(7));
      for (const name of [...seen, ...(await socketNames())].filter((each) => !earlier.has(each))) {
        assert.match(name, /^\/proc\/self\/fd\/\d+\/socket$|^$/, 'a path that leads somewhere in its maker alone');
      }
      await container.remove({ force: true });
    }
  });

  test('is by a socket of the file system where later processes must find it, in a directory for its owner alone', async (context) => {
    const oci = await ociLab(context);
    await oci.configure(['sleep', '1000'], (config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'network');
    });
    const earlier = new Set(await socketNames());
    assert.equal((await oci.oci('create', 'x')).exitCode, 0);
    const made = (await socketNames()).filter((name) => !earlier.has(name));
    assert.deepEqual(made, [join(oci.root, 'x', 'control.sock')]);
    const [path = ''] = made;

    await chmod(join(oci.root, '..'), 0o755); // what stands above may be open to all
    const connect = `require('node:net').createConnection(process.argv[1]).on('error', (e) => console.log(e.code)).on('connect', () => { console.log('in'); process.exit() })`;
    const as = (uid: string) =>
      runChecked('setpriv', [
        `--reuid=${uid}`,
        `--regid=${uid}`,
        '--clear-groups',
        process.execPath,
        '-e',
        connect,
        path,
      ]);
    assert.equal(await as('1000'), 'EACCES\n');
    assert.equal(await as('0'), 'in\n');
    assert.equal((await oci.oci('start', 'x')).exitCode, 0, 'an honest order is taken');
  });
});
