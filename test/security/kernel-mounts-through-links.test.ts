import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { directory, link } from '../helpers/busybox-layer.js';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { rejection } from '../helpers/rejection.js';

const offline = { network: 'none' } as const;

// CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642 (/proc, /sys); CVE-2026-41579, CVE-2026-47766 (/dev):
// an image whose kernel directories are links has them mounted or filled elsewhere.
describe('/proc, /sys and /dev of an image as links', () => {
  let lab: EngineLab;
  before(async () => {
    lab = await openEngineLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  for (const path of ['proc', 'sys', 'dev']) {
    for (const to of ['inside', 'outside', 'above']) {
      test(`/${path} to a directory ${to}`, async () => {
        const outside = join(lab.directory, `outside-${path}`);
        await mkdir(outside, { recursive: true });
        const target = { inside: '/tmp/place', outside, above: '../../../../../../../tmp' }[to] ?? '';
        const image = lab.image([directory('tmp/place'), link(path, target)]);
        const error = await rejection(lab.engine.run(image, ['true'], offline), 'LAUNCH_FAILED');
        assert.ok(error.data.operand.includes(`/${path}`), error.message);
        assert.deepEqual(readdirSync(outside), []);
        assert.equal(existsSync('/tmp/null'), false);
      });
    }
  }

  test('a mount of the caller does not change that', async () => {
    const image = lab.image([directory('volume'), link('proc', 'volume')]);
    const mounts = [{ type: 'tmpfs', target: '/proc' } as const];
    await rejection(lab.engine.run(image, ['true'], { ...offline, mounts }), 'LAUNCH_FAILED');
  });

  test('a volume that the image declares there does not take their place', async () => {
    const Volumes = { '/proc': {}, '/sys': {}, '/dev': {}, '/proc/sys': {} };
    const show = ['sh', '-c', 'stat -f -c %T /proc /sys /dev /proc/sys; touch /proc/sys/x 2>&1'];
    const { stdout } = await lab.engine.run(lab.image([], { Volumes }), show, offline);
    assert.match(stdout, /^proc\nsysfs\ntmpfs\nproc\ntouch: /);
  });

  test('real directories are mounted', async () => {
    const { stdout } = await lab.engine.run(lab.image(), ['stat', '-f', '-c', '%T', '/proc', '/sys', '/dev'], offline);
    assert.equal(stdout, 'proc\nsysfs\ntmpfs\n');
  });
});
