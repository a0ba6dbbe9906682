import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EngineError } from 'tscontainer';
import { openEngineLab } from '../helpers/engine-lab.js';

const offline = { network: 'none' } as const;

// CVE-2021-30465, CVE-2024-45310: a neighbour that shares a volume swaps the target of a mount for a link while it is
// made, so that the mount, or its missing directories, come into being on the host.
test('a mount target that a neighbour swaps for a link never leads out', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  const shared = join(lab.directory, 'shared');
  const secret = join(lab.directory, 'secret');
  const canary = join(lab.directory, 'canary');
  for (const path of [shared, secret, canary]) await mkdir(path);
  await writeFile(join(secret, 'secret'), 'secret\n');

  const volume = { type: 'bind', source: shared, target: '/shared' } as const;
  const swap = `mkdir -p /shared/real; ln -s ${canary} /shared/out; echo ready
    while :; do mv -T /shared/real /shared/place; mv -T /shared/place /shared/real
                mv -T /shared/out /shared/place; mv -T /shared/place /shared/out; done 2>/dev/null`;
  const attacker = await lab.engine.containers.create({
    image,
    command: ['sh', '-c', swap],
    mounts: [volume],
    ...offline,
  });
  await attacker.start();
  for await (const line of attacker.logs({ follow: true })) if (line.text === 'ready') break;

  let worked = 0;
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const mount = {
      type: 'bind',
      source: secret,
      target: `/shared/place${attempt % 2 === 0 ? '' : '/below'}`,
    } as const;
    try {
      const mounts = [volume, mount];
      await lab.engine.run(image, ['cat', `${mount.target}/secret`], { ...offline, mounts });
      worked += 1;
    } catch (error) {
      assert.ok(EngineError.is(error, 'LAUNCH_FAILED'), String(error));
    }
    assert.deepEqual(await readdir(canary), [], 'nothing is made or mounted on the host');
  }
  await attacker.remove({ force: true });
  assert.ok(worked > 0, 'the attack does not stop honest starts altogether');

  const mounts = [{ type: 'bind', source: secret, target: '/quiet/place' } as const];
  assert.equal(
    (await lab.engine.run(image, ['cat', '/quiet/place/secret'], { ...offline, mounts })).stdout,
    'secret\n',
  );
});
