import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shimPaths } from '#lib/engine/shim-paths.js';
import { openEngineLab } from '../helpers/engine-lab.js';
import { readAll } from '../helpers/read-all.js';
import { runChecked } from '../helpers/run-checked.js';

/** What a program with a C library would load from the root that it is in. */
const baits = [
  ...['lib/x86_64-linux-gnu/libnss_files.so.2', 'lib/libnss_files.so.2', 'usr/lib/gconv/gconv-modules'],
  ...['etc/ld.so.preload', 'etc/nsswitch.conf', 'usr/lib/locale/locale-archive', 'etc/localtime'],
];

test('CVE-2019-14271: what copies loads nothing from the container', async () => {
  const headers = await runChecked('readelf', ['--program-headers', '--dynamic', shimPaths()[0] ?? '']);
  assert.doesNotMatch(headers, /INTERP|NEEDED/);
  await using lab = await openEngineLab();
  const image = lab.image(baits.map((name) => ({ name, content: 'what is loaded does harm', mode: 0o755 })));
  await using container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], network: 'none' });
  await container.start();
  await container.copyTo('/copied', { content: 'x', uid: 1000 });
  assert.ok((await readAll(container.copyFrom('/etc'))).includes('what is loaded'));
  assert.deepEqual(await container.diff(), [{ path: '/copied', kind: 'added' }]);
  const committed = await container.commit();
  await lab.engine.images.remove(committed.id);
});
