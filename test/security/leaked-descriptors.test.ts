import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Container, EngineError } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { ociLab } from '../helpers/oci-bundle.js';
import { runWithOldRuntime } from '../helpers/old-runtime.js';

const offline = { network: 'none' } as const;
/** Where it is, and whether the host's tree is above: the lab's directory is on the host alone. */
const whereAmI = (lab: EngineLab): readonly string[] => [
  'sh',
  '-c',
  `pwd -P; for up in . .. ../.. ../../.. ../../../../../..; do ls -d $up${lab.directory} 2>/dev/null; done; exit 0`,
];

// CVE-2024-21626: a descriptor of a host directory that is open at the change of directory is a way out.
describe('a working directory that is a descriptor', () => {
  let lab: EngineLab;
  let image: string;
  let long: Container;
  let bait: number;

  before(async () => {
    lab = await openEngineLab();
    bait = openSync('/', 'r'); // what a careless program would let the shim inherit
    image = lab.image();
    long = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
    await long.start();
  });
  after(async () => {
    closeSync(bait);
    await lab[Symbol.asyncDispose]();
  });

  const isInside = async (work: Promise<{ stdout: string }>): Promise<void> => {
    try {
      const { stdout } = await work;
      assert.match(stdout, /^\/[^\n]*\n$/, 'a path of the container, and nothing of the host');
    } catch (error) {
      assert.ok(EngineError.is(error, 'LAUNCH_FAILED'), String(error));
      assert.ok(JSON.stringify(error.data).includes('/proc/self/fd'), error.message);
    }
  };

  test('leads nowhere, for run and for exec', async () => {
    const numbers = Array.from({ length: 62 }, (_, index) => index + 3);
    for (const number of numbers) {
      const workingDir = `/proc/self/fd/${number}`;
      await isInside(long.exec(whereAmI(lab), { workingDir }));
    }
    for (const number of numbers) {
      const workingDir = `/proc/self/fd/${number}`;
      await isInside(lab.engine.run(image, whereAmI(lab), { ...offline, workingDir }));
    }
    await isInside(lab.engine.run(lab.image([], { WorkingDir: '/proc/self/fd/9/../../..' }), whereAmI(lab), offline));
  });

  test('and no descriptor but the three is open', async () => {
    const list = ['ls', '/proc/self/fd'];
    const expected = '0\n1\n2\n3\n'; // 3 is the directory that ls reads
    assert.equal((await lab.engine.run(image, list, offline)).stdout, expected);
    assert.equal((await long.exec(list)).stdout, expected);
    for (const path of ['/proc/self/cwd', '/proc/self/root']) {
      assert.equal((await lab.engine.run(image, ['readlink', path], offline)).stdout, '/\n');
      assert.equal((await long.exec(['readlink', path])).stdout, '/\n');
    }
  });

  test('leads nowhere, though the caller hands a directory of the host down', async (context) => {
    const bundle = await ociLab(context);
    await bundle.configure(whereAmI(lab), (config) => {
      config.process['cwd'] = '/proc/self/fd/3';
    });
    const handed = { inherited: [bait] };
    const ours = await bundle.ociWith(handed, 'run', '--preserve-fds', '1', 'x');
    assert.deepEqual([ours.exitCode, ours.stdout], [1, ''], ours.stderr);
    assert.match(ours.stderr, /\/proc\/self\/fd\/3/);

    const control = await runWithOldRuntime('crun', bundle, ['--preserve-fds', '1'], handed);
    assert.ok(control.stdout.includes(`.${lab.directory}\n`), 'crun 1.8.1 runs the program in the root of the host');
  });

  test('an honest working directory works', async () => {
    assert.equal((await lab.engine.run(image, ['pwd'], { ...offline, workingDir: '/var/new' })).stdout, '/var/new\n');
    assert.equal((await long.exec(['pwd'], { workingDir: '/etc' })).stdout, '/etc\n');
  });
});
