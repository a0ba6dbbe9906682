import assert from 'node:assert/strict';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ErrorCode } from 'tscontainer';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { type ImageArchive, imageArchive } from '../helpers/image-archive.js';
import { type MemoryLab, openMemoryLab } from '../helpers/memory-lab.js';
import { scopedDirectory } from '../helpers/scoped-directory.js';
import { type TarMember, tarEnd, tarHeader, tarMember, tarOf } from '../helpers/tar-builder.js';

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

/** The archive is refused for this, and nothing of it is left. */
async function refused(
  { engine, content }: MemoryLab,
  source: Uint8Array | string,
  code: ErrorCode,
  operand: RegExp,
): Promise<void> {
  const load = engine.images.load(typeof source === 'string' ? source : streamOf(source));
  await assert.rejects(load, (error) => {
    assert.ok(EngineError.is(error, code), `${code} expected: ${error}`);
    assert.match(error.message, operand);
    return true;
  });
  assert.deepEqual(await engine.images.list(), []);
  const left: string[] = [];
  for await (const { digest } of content.list()) left.push(digest);
  assert.deepEqual(left, [], 'a blob is left');
}

const docker = (archive: ImageArchive, change: (entry: Record<string, unknown>) => object): TarMember[] =>
  archive.docker.map((member) =>
    member.name === 'manifest.json'
      ? { ...member, content: JSON.stringify(JSON.parse(String(member.content)).map(change)) }
      : member,
  );

type Attack = readonly [
  what: string,
  archive: (honest: ImageArchive) => readonly (TarMember | Buffer)[],
  code: ErrorCode,
  operand: RegExp,
];

const attacks: readonly Attack[] = [
  [
    'a layer of manifest.json that is outside (CVE-2014-9356)',
    (honest) => docker(honest, (entry) => ({ ...entry, Layers: ['../../etc/passwd'] })),
    'INVALID_ARCHIVE',
    /'\.\.\/\.\.\/etc\/passwd': it leaves the archive/,
  ],
  [
    'a configuration that is an absolute path',
    (honest) => docker(honest, (entry) => ({ ...entry, Config: '/etc/passwd' })),
    'INVALID_ARCHIVE',
    /'\/etc\/passwd': it leaves/,
  ],
  [
    'a layer that is a link to the host (CVE-2014-6407)',
    (honest) => [
      ...honest.docker.filter(({ name }) => name !== honest.layerPath),
      { name: honest.layerPath, type: '2', link: '/etc/passwd' },
    ],
    'INVALID_ARCHIVE',
    /leaves the archive/,
  ],
  [
    'links in a circle',
    (honest) => [
      ...honest.docker.filter(({ name }) => name !== honest.layerPath),
      { name: honest.layerPath, type: '2', link: '../other' },
      { name: 'other', type: '2', link: honest.layerPath },
    ],
    'INVALID_ARCHIVE',
    /its links lead nowhere/,
  ],
  [
    'a member that is outside',
    (honest) => [{ name: '../../evil', content: 'x' }, ...honest.docker],
    'INVALID_ARCHIVE',
    /'\.\.\/\.\.\/evil': its name leaves/,
  ],
  [
    'a device',
    (honest) => [...honest.docker, { name: 'device', type: '3' }],
    'INVALID_ARCHIVE',
    /'device': it is neither/,
  ],
  [
    'a layer that is missing',
    (honest) => honest.docker.filter(({ name }) => name !== honest.layerPath),
    'INVALID_ARCHIVE',
    /layer\.tar': it is named, but not in the archive/,
  ],
  [
    'a layer that is another than the configuration says',
    (honest) =>
      honest.docker.map((member) =>
        member.name === honest.layerPath ? { ...member, content: tarOf({ name: 'evil' }) } : member,
      ),
    'DIGEST_MISMATCH',
    /layer: expected digest sha256:/,
  ],
  [
    'a configuration that is not what its name says',
    (honest) =>
      honest.docker.map((member) =>
        /^[0-9a-f]{64}\.json$/.test(String(member.name)) ? { ...member, content: `${member.content} ` } : member,
      ),
    'DIGEST_MISMATCH',
    /archive, '[0-9a-f]{64}\.json'/,
  ],
  [
    'two members of one name',
    (honest) => [...honest.docker, { name: 'manifest.json', content: '[]' }],
    'INVALID_ARCHIVE',
    /'manifest\.json': it is there twice/,
  ],
  [
    'two members of one name, written differently',
    (honest) => [...honest.docker, { name: './/manifest.json', content: '[]' }],
    'INVALID_ARCHIVE',
    /'manifest\.json': it is there twice/,
  ],
  [
    'a link over a file',
    (honest) => [...honest.docker, { name: 'manifest.json', type: '2', link: 'evil' }],
    'INVALID_ARCHIVE',
    /'manifest\.json': it is there twice/,
  ],
  [
    'a manifest of 5 MiB',
    () => [{ name: 'manifest.json', content: `[${' '.repeat(5 * 1024 * 1024)}]` }],
    'TOO_LARGE',
    /'manifest\.json'/,
  ],
  [
    'a manifest of a million values',
    () => [{ name: 'manifest.json', content: `[${'[],'.repeat(1_000_000)}[]]` }],
    'INVALID_MANIFEST',
    /manifest\.json: it has more than/,
  ],
  [
    'a manifest of depth',
    () => [{ name: 'manifest.json', content: '['.repeat(100_000) }],
    'INVALID_MANIFEST',
    /manifest\.json/,
  ],
  [
    'a manifest of two thousand images',
    (honest) => [
      ...honest.docker.filter(({ name }) => name !== 'manifest.json'),
      { name: 'manifest.json', content: JSON.stringify(Array(2000).fill({ Config: 'x', Layers: [] })) },
    ],
    'INVALID_MANIFEST',
    /at most 1024 entries/,
  ],
  ['a manifest that is no list', () => [{ name: 'manifest.json', content: '{}' }], 'INVALID_MANIFEST', /an array/],
  [
    'a name that is none',
    (honest) => docker(honest, (entry) => ({ ...entry, RepoTags: ['../../x:1'] })),
    'INVALID_REFERENCE',
    /\.\.\/\.\.\/x:1/,
  ],
  [
    'a name with a digest of its choice',
    (honest) => docker(honest, (entry) => ({ ...entry, RepoTags: [`debian@${digestOf('x')}`] })),
    'INVALID_REFERENCE',
    /debian@sha256/,
  ],
  ['nothing', () => [], 'INVALID_ARCHIVE', /archive: it has no images/],
  [
    'a blob that is not what its name says',
    (honest) =>
      honest.oci.map((member) =>
        String(member.name).startsWith('blobs/') ? { ...member, content: `${member.content}!` } : member,
      ),
    'DIGEST_MISMATCH',
    /archive, 'blobs\/sha256\/[0-9a-f]{64}'/,
  ],
  [
    'a blob that is a link',
    (honest) => [{ name: `blobs/sha256/${'0'.repeat(64)}`, type: '2', link: '../../index.json' }, ...honest.oci],
    'INVALID_ARCHIVE',
    /'blobs\/sha256\/0{64}': a blob must be a file/,
  ],
  [
    'a manifest that is missing',
    (honest) => honest.oci.filter(({ name }) => name !== honest.manifestPath),
    'BLOB_NOT_FOUND',
    /sha256:/,
  ],
  [
    'a layer blob that is missing',
    (honest) => honest.oci.filter(({ name }) => name !== honest.layerBlobPath),
    'BLOB_NOT_FOUND',
    /sha256:/,
  ],
  [
    'a layout of an unknown version',
    (honest) =>
      honest.oci.map((member) =>
        member.name === 'oci-layout' ? { ...member, content: '{"imageLayoutVersion":"2.0.0"}' } : member,
      ),
    'INVALID_ARCHIVE',
    /'oci-layout': version 2\.0\.0/,
  ],
  [
    'an extended header without end',
    (honest) => [tarHeader({ name: 'x', type: 'x', size: 10 ** 9 }), ...honest.docker],
    'INVALID_ARCHIVE',
    /'x': its extended header has 1000000000 bytes/,
  ],
  [
    'a wrong checksum',
    (honest) => [{ name: 'x', checksum: 'wrong' }, ...honest.docker],
    'INVALID_ARCHIVE',
    /'x': its header is damaged/,
  ],
  [
    'a size of 9 exabytes',
    (honest) => [
      { name: 'x', raw: { 124: Buffer.from('80000000 7fffffffffffffff'.replace(' ', ''), 'hex') } },
      ...honest.docker,
    ],
    'INVALID_ARCHIVE',
    /'x': its size is no number/,
  ],
];

describe('a hostile archive', () => {
  for (const [what, archive, code, operand] of attacks) {
    test(`with ${what} is refused, and nothing of it is left`, async (context) => {
      const honest = imageArchive('app:1');
      await refused(await openMemoryLab(context), tarOf(...archive(honest)), code, operand);
    });
  }

  test('of more members than an archive has is refused', async (context) => {
    const members = Array.from({ length: 20_100 }, (_, index) => tarMember({ name: `${index}/`, type: '5' }));
    await refused(await openMemoryLab(context), tarOf(...members), 'INVALID_ARCHIVE', /more than 20000 members/);
  });

  test('that is cut anywhere is refused', async (context) => {
    const lab = await openMemoryLab(context);
    for (const members of [imageArchive('app:1').docker, imageArchive('app:1').oci]) {
      const whole = tarOf(...members);
      const body = whole.length - tarEnd().length;
      for (const length of [0, 1, 511, 512, 513, 700, 1024, 5000, body - 512, body - 1, body, body + 100]) {
        await refused(lab, whole.subarray(0, length), 'INVALID_ARCHIVE', /archive/);
      }
      const zipped = gzipSync(whole);
      for (const length of [3, 20, zipped.length - 9, zipped.length - 1]) {
        await refused(lab, zipped.subarray(0, length), 'INVALID_ARCHIVE', /archive/);
      }
    }
  });

  test('that is none is refused', async (context) => {
    const lab = await openMemoryLab(context);
    for (const bytes of [Buffer.alloc(0), Buffer.from('no archive'.repeat(200)), Buffer.from([0x1f, 0x8b, 1, 2, 3])]) {
      await refused(lab, bytes, 'INVALID_ARCHIVE', /archive/);
    }
  });

  test('whose stream fails gives the failure of the stream', async (context) => {
    const { engine, content } = await openMemoryLab(context);
    const failure = new Error('unplugged');
    const failing = (async function* () {
      yield tarOf(...imageArchive('app:1').docker).subarray(0, 3000);
      throw failure;
    })();
    await assert.rejects(engine.images.load(failing), (error) => error === failure);
    for await (const { digest } of content.list()) assert.fail(`${digest} is left`);
  });

  test('of several images, one of them bad, leaves none', async (context) => {
    const [good, bad] = [imageArchive('good:1'), imageArchive('bad:1')];
    const entries = [good, bad].flatMap(({ docker: members }) =>
      JSON.parse(String(members.find(({ name }) => name === 'manifest.json')?.content)),
    );
    const members = [...good.docker, ...bad.docker].filter(
      ({ name }) => name !== 'manifest.json' && name !== bad.layerPath,
    );
    const archive = tarOf(...members, { name: 'manifest.json', content: JSON.stringify(entries) });
    await refused(await openMemoryLab(context), archive, 'INVALID_ARCHIVE', /it is named, but not in the archive/);
  });

  test('that was honest is loaded, also with links inside, in the older formats and with the same member twice', async (context) => {
    const lab = await openMemoryLab(context);
    const honest = imageArchive('app:1');
    const linked = [
      ...honest.docker.map((member) => (member.name === honest.layerPath ? { ...member, name: 'real.tar' } : member)),
      { name: honest.layerPath, type: '2', link: '../hard.tar' },
      { name: 'hard.tar', type: '1', link: 'real.tar' },
      ...honest.docker.filter(({ name }) => name === 'manifest.json'),
    ];
    for (const members of [honest.docker, honest.oci, linked]) {
      const [image] = await lab.engine.images.load(streamOf(tarOf(...members)));
      assert.deepEqual([image?.id, image?.names], [honest.id, ['app:1']]);
      await lab.engine.images.remove('app:1');
    }
  });
});

describe('a hostile OCI layout directory', () => {
  async function layout(context: TestContext): Promise<{ directory: string; honest: ImageArchive }> {
    const directory = join(await scopedDirectory(context), 'layout');
    const honest = imageArchive('app:1');
    await mkdir(join(directory, 'blobs/sha256'), { recursive: true });
    for (const { name, content } of honest.oci) await writeFile(join(directory, String(name)), content ?? '');
    return { directory, honest };
  }

  test('with a link in the place of a blob or a document is refused', async (context) => {
    for (const pick of ['manifestPath', 'layerBlobPath', 'index.json'] as const) {
      const { directory, honest } = await layout(context);
      const name = pick === 'index.json' ? pick : honest[pick];
      const moved = `${directory}-moved`;
      const original = honest.oci.find((member) => member.name === name);
      await writeFile(moved, original?.content ?? '');
      await rm(join(directory, name));
      await symlink(moved, join(directory, name));
      await refused(await openMemoryLab(context), directory, 'INVALID_ARCHIVE', /it is no regular file/);
    }
  });

  test('with wrong, cut, missing or endless files is refused', async (context) => {
    const lab = await openMemoryLab(context);
    const damage: readonly (readonly [
      (directory: string, honest: ImageArchive) => Promise<void>,
      ErrorCode,
      RegExp,
    ])[] = [
      [(d, { layerBlobPath }) => writeFile(join(d, layerBlobPath), 'x'), 'SIZE_MISMATCH', /sha256:/],
      [
        (d, { layerBlobPath, layer }) => writeFile(join(d, layerBlobPath), Buffer.alloc(layer.length)),
        'DIGEST_MISMATCH',
        /sha256:/,
      ],
      [(d, { layerBlobPath }) => rm(join(d, layerBlobPath)), 'INVALID_ARCHIVE', /'blobs\/sha256\/[0-9a-f]{64}'/],
      [(d, { manifestPath }) => rm(join(d, manifestPath)), 'INVALID_ARCHIVE', /'blobs\/sha256\/[0-9a-f]{64}'/],
      [(d) => rm(join(d, 'oci-layout')), 'INVALID_ARCHIVE', /'oci-layout': it is not there/],
      [(d) => writeFile(join(d, 'index.json'), Buffer.alloc(5 * 1024 * 1024)), 'TOO_LARGE', /index\.json/],
      [(d) => writeFile(join(d, 'index.json'), '{"schemaVersion":2'), 'INVALID_MANIFEST', /index\.json/],
    ];
    for (const [change, code, operand] of damage) {
      const { directory, honest } = await layout(context);
      await change(directory, honest);
      await refused(lab, directory, code, operand);
    }
  });

  test('that was honest is loaded, and nothing is written into it', async (context) => {
    const { directory, honest } = await layout(context);
    const before = await readdir(directory, { recursive: true });
    const { engine } = await openMemoryLab(context);
    const [image] = await engine.images.load(directory);
    assert.deepEqual([image?.id, image?.names], [honest.id, ['app:1']]);
    assert.deepEqual(await readdir(directory, { recursive: true }), before);
  });
});
