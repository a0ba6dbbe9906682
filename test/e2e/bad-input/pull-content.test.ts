import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ErrorCode, ErrorKind } from 'tscontainer';
import { busyboxMembers, directory, file, link } from '../../helpers/busybox-layer.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { replyBlob } from '../../helpers/fake-registry.js';
import { publishBlob, publishDocument, publishImage } from '../../helpers/publish-image.js';
import { rejection } from '../../helpers/rejection.js';
import { storedContent } from '../../helpers/stored-content.js';
import { type TarMember, tarHeader, tarOf } from '../../helpers/tar-builder.js';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const ociLayer = 'application/vnd.oci.image.layer.v1.tar';
const ociLayerGzip = 'application/vnd.oci.image.layer.v1.tar+gzip';
const zeros = `sha256:${'0'.repeat(64)}`;
const small = tarOf(directory('etc'), file('etc/motd', 'hello\n'));

interface BadPull {
  readonly name: string;
  /** Publishes the trap; returns the reference. */
  readonly publish: (lab: EngineLab, repository: string) => string;
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  /** The data of the error has this text somewhere: the operand. */
  readonly names?: (lab: EngineLab, repository: string) => string;
}

const layerOf =
  (...members: readonly TarMember[]): BadPull['publish'] =>
  (lab, repository) =>
    publishImage(lab.registry, repository, { layers: [tarOf(...members)] });

/** A config and a layer that are fine, for manifests that are not. */
function goodParts(lab: EngineLab, repository: string) {
  const config = { architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [] } };
  return {
    schemaVersion: 2,
    config: publishBlob(lab.registry, repository, ociConfig, Buffer.from(JSON.stringify(config))),
    layers: [publishBlob(lab.registry, repository, ociLayer, small)],
  };
}

const cases: readonly BadPull[] = [
  {
    name: 'an image that the registry does not know',
    publish: (lab) => `${lab.registry.host}/nobody/knows:1`,
    code: 'IMAGE_NOT_FOUND',
    kind: 'not-found',
    names: (lab) => `${lab.registry.host}/nobody/knows:1`,
  },
  {
    name: 'a tag that the repository does not have',
    publish: (lab, repository) => {
      publishImage(lab.registry, repository, { layers: [small] });
      return `${lab.registry.host}/${repository}:other`;
    },
    code: 'IMAGE_NOT_FOUND',
    kind: 'not-found',
    names: () => ':other',
  },
  {
    name: 'a manifest that is not what its digest promises',
    publish: (lab, repository) => {
      publishDocument(lab.registry, repository, zeros, ociManifest, goodParts(lab, repository));
      return `${lab.registry.host}/${repository}@${zeros}`;
    },
    code: 'DIGEST_MISMATCH',
    kind: 'corrupt',
    names: () => zeros,
  },
  {
    name: 'a layer blob with other bytes',
    publish: (lab, repository) =>
      publishImage(lab.registry, repository, {
        layers: [small],
        changeManifest: (manifest) => {
          const { layers } = manifest as { layers: { digest: string }[] };
          const other = Buffer.from(small).fill(1, 512, 600);
          lab.registry.script(`/v2/${repository}/blobs/${layers[0]?.digest}`, replyBlob(other));
          return manifest;
        },
      }),
    code: 'DIGEST_MISMATCH',
    kind: 'corrupt',
  },
  {
    name: 'a layer blob that is shorter than its descriptor says',
    publish: (lab, repository) =>
      publishImage(lab.registry, repository, {
        layers: [small],
        changeManifest: (manifest) => {
          const { layers } = manifest as { layers: { digest: string }[] };
          lab.registry.script(`/v2/${repository}/blobs/${layers[0]?.digest}`, replyBlob(small.subarray(0, 700)));
          return manifest;
        },
      }),
    code: 'SIZE_MISMATCH',
    kind: 'corrupt',
  },
  {
    name: 'a config blob with other bytes',
    publish: (lab, repository) =>
      publishImage(lab.registry, repository, {
        layers: [small],
        changeManifest: (manifest) => {
          const { config } = manifest as { config: { digest: string; size: number } };
          lab.registry.script(`/v2/${repository}/blobs/${config.digest}`, replyBlob(Buffer.alloc(config.size, ' ')));
          return manifest;
        },
      }),
    code: 'DIGEST_MISMATCH',
    kind: 'corrupt',
  },
  {
    name: 'a layer whose content has another diffID',
    publish: (lab, repository) => publishImage(lab.registry, repository, { layers: [{ blob: small, diffId: zeros }] }),
    code: 'DIGEST_MISMATCH',
    kind: 'corrupt',
    names: () => zeros,
  },
  {
    name: 'a config with fewer diffIDs than the manifest has layers',
    publish: (lab, repository) =>
      publishImage(lab.registry, repository, {
        layers: [small],
        changeConfig: (config) => ({ ...config, rootfs: { type: 'layers', diff_ids: [] } }),
      }),
    code: 'INVALID_MANIFEST',
    kind: 'corrupt',
  },
  {
    name: 'a document that is manifest and index at once',
    publish: (lab, repository) =>
      publishImage(lab.registry, repository, {
        layers: [small],
        changeManifest: (manifest) => ({ ...manifest, manifests: [] }),
      }),
    code: 'INVALID_MANIFEST',
    kind: 'corrupt',
  },
  {
    name: 'a manifest that is served as an index',
    publish: (lab, repository) => {
      const manifest = { ...goodParts(lab, repository), mediaType: ociManifest };
      publishDocument(lab.registry, repository, '1', ociIndex, manifest);
      return `${lab.registry.host}/${repository}:1`;
    },
    code: 'INVALID_MANIFEST',
    kind: 'corrupt',
  },
  {
    name: 'an index that leads to itself',
    publish: (lab, repository) => {
      const platform = { architecture: 'amd64', os: 'linux' };
      const inner = { schemaVersion: 2, mediaType: ociIndex, manifests: [] };
      let entry = publishDocument(lab.registry, repository, 'inner', ociIndex, inner);
      for (let depth = 0; depth < 8; depth += 1) {
        const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [{ ...entry, platform }] };
        entry = publishDocument(lab.registry, repository, '1', ociIndex, index);
      }
      return `${lab.registry.host}/${repository}:1`;
    },
    code: 'INVALID_MANIFEST',
    kind: 'corrupt',
  },
  {
    name: 'an index without this platform',
    publish: (lab, repository) => {
      const manifest = publishDocument(lab.registry, repository, 'm', ociManifest, goodParts(lab, repository));
      const entry = { ...manifest, platform: { architecture: 's390x', os: 'linux' } };
      publishDocument(lab.registry, repository, '1', ociIndex, {
        schemaVersion: 2,
        mediaType: ociIndex,
        manifests: [entry],
      });
      return `${lab.registry.host}/${repository}:1`;
    },
    code: 'PLATFORM_NOT_FOUND',
    kind: 'not-found',
    names: () => 's390x',
  },
  {
    name: 'a manifest above the limit',
    publish: (lab, repository) => {
      const manifest = { ...goodParts(lab, repository), annotations: { big: 'x'.repeat(5 * 1024 * 1024) } };
      publishDocument(lab.registry, repository, '1', ociManifest, manifest);
      return `${lab.registry.host}/${repository}:1`;
    },
    code: 'TOO_LARGE',
    kind: 'invalid',
  },
  {
    name: 'a manifest that is no JSON',
    publish: (lab, repository) => {
      publishDocument(lab.registry, repository, '1', ociManifest, Buffer.from('<html>'));
      return `${lab.registry.host}/${repository}:1`;
    },
    code: 'INVALID_MANIFEST',
    kind: 'corrupt',
  },
  {
    name: 'a gzip bomb',
    publish: (lab, repository) => {
      const header = gzipSync(tarHeader({ name: 'zeros', size: 1024 ** 3 }));
      const part = gzipSync(Buffer.alloc(16 * 1024 * 1024), { level: 9 });
      const bomb = Buffer.concat([header, ...Array.from({ length: 65 }, () => part)]); // members of one stream
      const layer = { blob: bomb, diffId: zeros, mediaType: ociLayerGzip };
      return publishImage(lab.registry, repository, { layers: [layer] });
    },
    code: 'TOO_LARGE',
    kind: 'invalid',
  },
  {
    name: 'a gzip layer that is cut',
    publish: (lab, repository) => {
      const blob = gzipSync(small).subarray(0, -12);
      return publishImage(lab.registry, repository, { layers: [{ blob, mediaType: ociLayerGzip, diffId: zeros }] });
    },
    code: 'INVALID_LAYER',
    kind: 'corrupt',
  },
  {
    name: 'an archive that ends in the middle of a file',
    publish: (lab, repository) =>
      publishImage(lab.registry, repository, {
        layers: [Buffer.concat([tarHeader({ name: 'long', size: 4096 }), Buffer.alloc(512)])],
      }),
    code: 'INVALID_LAYER',
    kind: 'corrupt',
    names: () => 'long',
  },
  {
    name: 'an entry that climbs out',
    publish: layerOf(file('../../../../../../tmp/tsc-escaped', 'x')),
    code: 'INVALID_LAYER',
    kind: 'corrupt',
    names: () => '../../../../../../tmp/tsc-escaped',
  },
  {
    name: 'a hard link that climbs out',
    publish: layerOf({ name: 'passwd', type: '1', link: '../../../../../../etc/passwd' }),
    code: 'INVALID_LAYER',
    kind: 'corrupt',
    names: () => 'passwd',
  },
  {
    name: 'a bare whiteout',
    publish: layerOf(file('etc/.wh.', '')),
    code: 'INVALID_LAYER',
    kind: 'corrupt',
    names: () => 'etc/.wh.',
  },
];

describe('a pull fails with one error and leaves nothing', { concurrency: false }, () => {
  let lab: EngineLab;
  let twin: string;
  let stored: readonly string[];

  before(async () => {
    lab = await openEngineLab();
    twin = publishImage(lab.registry, 'lab/twin', { layers: [Buffer.concat([busyboxMembers(), Buffer.alloc(1024)])] });
    await lab.engine.images.pull(twin);
    stored = await storedContent(lab.options.root);
  });
  after(() => lab[Symbol.asyncDispose]());

  for (const [index, each] of cases.entries()) {
    test(each.name, async () => {
      const repository = `lab/case-${index}`;
      const reference = each.publish(lab, repository);
      const error = await rejection(lab.engine.images.pull(reference), each.code);
      assert.equal(error.kind, each.kind);
      const operand = each.names?.(lab, repository);
      if (operand !== undefined) assert.ok(JSON.stringify(error.data).includes(operand), JSON.stringify(error.data));

      // Verified documents may stay for the next attempt; nothing else, and they go with the next clean-up.
      const left = (await storedContent(lab.options.root)).filter((path) => !stored.includes(path));
      assert.deepEqual(
        left.filter((path) => !path.startsWith('content/blobs/')),
        [],
      );
      assert.equal((await lab.engine.images.list()).length, 1);
      await lab.engine.images.fromHost({ binaries: ['/bin/busybox'], tag: 'lab/next' });
      await lab.engine.images.remove('lab/next');
      assert.deepEqual(await storedContent(lab.options.root), stored);
    });
  }

  test('and after all of them the next image is pulled and run', async () => {
    assert.equal(existsSync('/tmp/tsc-escaped'), false);
    const { exitCode, stdout } = await lab.engine.run(twin, ['echo', 'fine'], { network: 'none' });
    assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: 'fine\n' });
  });
});

test('absolute names and links stay inside the image', async () => {
  await using lab = await openEngineLab();
  const reference = lab.image([
    file('/absolute', 'inside\n'),
    link('etc/out', '/../../../../../../tmp'),
    file('etc/out/tsc-through-link', 'inside\n'),
  ]);
  const { stdout } = await lab.engine.run(reference, ['cat', '/absolute', '/tmp/tsc-through-link'], {
    network: 'none',
  });
  assert.equal(stdout, 'inside\ninside\n');
  assert.equal(existsSync('/tmp/tsc-through-link'), false);
});
