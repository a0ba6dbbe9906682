import assert from 'node:assert/strict';
import { constants, mkdir, open, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EngineError } from 'tscontainer';
import { file } from '../helpers/busybox-layer.js';
import { compileProbe } from '../helpers/compile-probe.js';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { type OciLab, ociLab } from '../helpers/oci-bundle.js';
import { runWithOldRuntime } from '../helpers/old-runtime.js';
import { slowed } from '../helpers/run-to-exit.js';
import { scopedDirectory } from '../helpers/scoped-directory.js';

const offline = { network: 'none' } as const;
const starts = 500;

/** Directories of the host: one that containers share, one that is mounted, one that must stay empty. */
async function places(base: string): Promise<{ shared: string; secret: string; canary: string }> {
  const made = { shared: join(base, 'shared'), secret: join(base, 'secret'), canary: join(base, 'canary') };
  for (const path of Object.values(made)) await mkdir(path);
  await mkdir(join(made.shared, 'place'));
  await symlink(made.canary, join(made.shared, 'link'));
  await writeFile(join(made.secret, 'secret'), 'secret\n');
  return made;
}

/** A container that exchanges the directory `place` and a link to the canary directory for ever. */
async function startNeighbour(lab: EngineLab, image: string, shared: string): Promise<AsyncDisposable> {
  const neighbour = await lab.engine.containers.create({
    image,
    command: ['/probe', 'swap', '/shared/place', '/shared/link'],
    mounts: [{ type: 'bind', source: shared, target: '/shared' }],
    ...offline,
  });
  await neighbour.start();
  for await (const line of neighbour.logs({ follow: true })) if (line.text === 'ready') break;
  return neighbour;
}

// CVE-2021-30465, CVE-2024-45310: a neighbour that shares a volume swaps the target of a mount for a link while it is
// made, so that the mount, or its missing directories and files, come into being on the host.
test('a mount target that a neighbour swaps for a link never leads out', async () => {
  await using lab = await openEngineLab();
  const image = lab.image([file('probe', await compileProbe('attack-probe'), 0o755)]);
  const { shared, secret, canary } = await places(lab.directory);
  const targets = [
    { source: secret, target: '/shared/place' },
    { source: secret, target: '/shared/place/below/deep' },
    { source: join(secret, 'secret'), target: '/shared/place/file' },
  ];
  let worked = 0;
  await using _neighbour = await startNeighbour(lab, image, shared);
  for (let attempt = 0; attempt < starts; attempt += 1) {
    const mount = { type: 'bind', ...(targets[attempt % targets.length] as (typeof targets)[0]) } as const;
    const mounts = [{ type: 'bind', source: shared, target: '/shared' } as const, mount];
    try {
      await lab.engine.run(image, ['true'], { ...offline, mounts });
      worked += 1;
    } catch (error) {
      assert.ok(EngineError.is(error, 'LAUNCH_FAILED'), String(error));
    }
    assert.deepEqual(await readdir(canary), [], 'nothing is made or mounted on the host');
  }
  assert.ok(worked > 0, 'the attack does not stop honest starts altogether');
});

test('a target that nobody swaps is mounted on', async () => {
  await using lab = await openEngineLab();
  const { secret } = await places(lab.directory);
  const mounts = [{ type: 'bind', source: secret, target: '/quiet/place' } as const];
  const { stdout } = await lab.engine.run(lab.image(), ['cat', '/quiet/place/secret'], { ...offline, mounts });
  assert.equal(stdout, 'secret\n');
});

async function bundleWithTarget(context: TestContext, shared: string, secret: string): Promise<OciLab> {
  const lab = await ociLab(context);
  await mkdir(join(lab.bundle, 'rootfs/shared'));
  await lab.configure(['true'], (config) => {
    config.mounts.push(
      { destination: '/shared', type: 'bind', source: shared, options: ['rbind'] },
      { destination: '/shared/place/below/deep', type: 'bind', source: secret, options: ['rbind'] },
    );
  });
  return lab;
}

async function emptyAfter(
  context: TestContext,
  tries: number,
  start: (lab: OciLab) => Promise<unknown>,
): Promise<string[]> {
  await using engine = await openEngineLab();
  const image = engine.image([file('probe', await compileProbe('attack-probe'), 0o755)]);
  const base = await scopedDirectory(context);
  const { shared, secret, canary } = await places(base);
  const lab = await bundleWithTarget(context, shared, secret);
  await using place = await open(join(shared, 'place'), constants.O_DIRECTORY);
  await using _neighbour = await startNeighbour(engine, image, shared);

  for (let count = 0; count < tries && (await readdir(canary)).length === 0; count += 1) {
    await start(lab);
    // What an attempt made in the right place would make the next ones miss the moment.
    await rm(`/proc/self/fd/${place.fd}/below`, { recursive: true, force: true });
  }
  return readdir(canary);
}

test('nor does it when there is ample time between look and use', async (context) => {
  const prefix = slowed(['openat2', 'mkdirat', 'openat', 'move_mount'], 3);
  assert.deepEqual(await emptyAfter(context, 12, (lab) => lab.ociWith({ prefix }, 'run', 'x')), []);
});

test('runc 1.1.5 makes the missing directories on the host, given that time', async (context) => {
  const prefix = slowed(['newfstatat', 'mkdirat'], 2);
  assert.deepEqual(await emptyAfter(context, 100, (lab) => runWithOldRuntime('runc', lab, [], { prefix })), ['below']);
});
