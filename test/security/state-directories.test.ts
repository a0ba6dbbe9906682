import assert from 'node:assert/strict';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngineLab } from '../helpers/engine-lab.js';
import { runChecked } from '../helpers/run-checked.js';

// CVE-2021-41091, CVE-2024-25621: programs with set-user-id in an image are for the container, not for users of the host.
test('another user of the host gets at no file of images and containers', async () => {
  await using lab = await openEngineLab();
  await chmod(lab.directory, 0o755);
  const container = await lab.engine.containers.create({
    image: lab.image(),
    command: ['sh', '-c', 'cp /bin/busybox /suid; chmod 4755 /suid; echo done; sleep 1000'],
    lifetime: 'detached',
    network: 'none',
  });
  await container.start();
  for await (const line of container.logs({ follow: true })) if (line.text === 'done') break;

  const { root, runRoot } = lab.options;
  const layers = await readdir(join(root, 'layers', 'layers'));
  const layer = layers.find((name) => !name.startsWith('mount-points')) ?? '';
  const secrets = [
    join(root, 'containers', container.id, 'upper', 'suid'),
    join(root, 'containers', container.id, 'record.json'),
    join(root, 'containers', container.id, 'log.0000000000000000'),
    join(root, 'layers', 'layers', layer, 'fs', 'bin', 'busybox'),
    join(root, 'content', 'blobs'),
    join(root, 'images', '.'),
    join(root, 'names', '.'),
    join(root, 'locks', 'content'),
    join(root, 'networks', '.'),
    join(runRoot, 'containers', container.id, 'process'),
    join(runRoot, 'containers', container.id, 'socket'),
  ];
  const look = async (path: string, uid: string): Promise<string> => {
    const script = `ls -d "${path}" >/dev/null 2>&1 && echo reached || echo refused; ls "${root}" >/dev/null 2>&1 && echo listed`;
    return runChecked('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'sh', '-c', `${script}; true`]);
  };
  for (const path of secrets.slice(0, 4)) assert.match(await look(path, '0'), /^reached$/m, `${path} is there`);
  for (const path of secrets) {
    if (path.endsWith('/.')) continue;
    assert.equal(await look(path, '1000'), 'refused\n', path);
  }
  const readable = await runChecked('setpriv', [
    ...['--reuid=1000', '--regid=1000', '--clear-groups', 'sh', '-c'],
    `find "${lab.directory}" -type f -readable 2>/dev/null; find "${root}" "${runRoot}" -writable 2>/dev/null; true`,
  ]);
  assert.equal(readable.replace(`${join(root, 'version')}\n`, ''), '');
  await container.remove({ force: true });
});
