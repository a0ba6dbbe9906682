import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { busyboxMembers } from '../../helpers/busybox-layer.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { publishImage } from '../../helpers/publish-image.js';
import { tarMember, tarOf } from '../../helpers/tar-builder.js';

/** Linux 6.1 takes the layers of an overlay as one text of at most a page. */
describe('overlays of a kernel that has no option per layer', () => {
  const usual = tmpdir();
  let base: string;
  let lab: EngineLab;

  before(async () => {
    base = await mkdtemp(join(usual, 'long-'));
    const deep = join(base, 'path-of-a-root:that,is\\long'.repeat(4), 'x'.repeat(120));
    await mkdir(deep, { recursive: true });
    process.env['TMPDIR'] = deep;
    lab = await openEngineLab();
  });
  after(async () => {
    await lab[Symbol.asyncDispose]();
    process.env['TMPDIR'] = usual;
    await rm(base, { recursive: true });
  });

  const layered = (count: number): string => {
    const layers = Array.from({ length: count }, (_, index) =>
      tarOf(
        tarMember({ name: `layer-${index}`, content: `${index}\n` }),
        tarMember({ name: 'top', content: `${index}\n` }),
      ),
    );
    const first = Buffer.concat([busyboxMembers(), Buffer.alloc(1024)]);
    return publishImage(lab.registry, `lab/deep-${count}`, { layers: [first, ...layers] });
  };

  test('a stack of 46 layers below a long path with separators in it shows all of them, the topmost first', async () => {
    const script = 'ls / | grep -c layer-; cat /top; echo new > /top; cat /top; rm /layer-3; ls / | grep -c layer-';
    const result = await lab.engine.run(layered(45), ['sh', '-c', script], { network: 'none' });
    assert.equal(result.stderr, '');
    assert.deepEqual(result.stdout.trim().split('\n'), ['45', '44', 'new', '44']);
  });

  test('the same stack twice at once is two roots', async () => {
    const image = layered(45);
    const options = { network: 'none' } as const;
    const results = await Promise.all(
      ['a', 'b'].map((name) => lab.engine.run(image, ['sh', '-c', `echo ${name} > /own; cat /own`], options)),
    );
    assert.deepEqual(
      results.map((each) => each.stdout),
      ['a\n', 'b\n'],
    );
  });
});
