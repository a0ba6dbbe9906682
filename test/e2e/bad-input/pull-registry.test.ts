import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { ErrorCode, ErrorKind } from 'tscontainer';
import { busyboxMembers } from '../../helpers/busybox-layer.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { cutAfter, hangUp, replyBlob, replyError, type Step } from '../../helpers/fake-registry.js';
import { publishImage } from '../../helpers/publish-image.js';
import { rejection } from '../../helpers/rejection.js';
import { storedContent } from '../../helpers/stored-content.js';

interface BadAnswer {
  readonly name: string;
  readonly step: Step;
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly status?: number;
}

const layer = Buffer.concat([busyboxMembers(), Buffer.alloc(1024)]);
const basic = { 'www-authenticate': 'Basic realm="lab"' };
/** More than the client is willing to wait: it says so instead of waiting. */
const later = { 'retry-after': '3600' };

const answers: readonly BadAnswer[] = [
  {
    name: '401',
    step: replyError(401, 'UNAUTHORIZED', 'no', basic),
    code: 'REGISTRY_DENIED',
    kind: 'denied',
    status: 401,
  },
  { name: '403', step: replyError(403, 'DENIED', 'no'), code: 'REGISTRY_DENIED', kind: 'denied', status: 403 },
  {
    name: '429',
    step: replyError(429, 'TOOMANYREQUESTS', 'no', later),
    code: 'REGISTRY_RATE_LIMITED',
    kind: 'unavailable',
  },
  {
    name: '500',
    step: replyError(500, 'UNKNOWN', 'no', later),
    code: 'REGISTRY_FAILED',
    kind: 'unavailable',
    status: 500,
  },
  {
    name: '503',
    step: replyError(503, 'UNAVAILABLE', 'no', later),
    code: 'REGISTRY_FAILED',
    kind: 'unavailable',
    status: 503,
  },
];

describe('a registry that does not deliver', () => {
  let lab: EngineLab;

  before(async () => {
    lab = await openEngineLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  /** Publishes an image whose manifest or layer answers with `step` first, and gives what undoes that. */
  function publish(
    repository: string,
    place: 'manifest' | 'layer',
    step: Step,
  ): { reference: string; repair: () => void } {
    const image = { layers: [layer] };
    let layerDigest = '';
    const reference = publishImage(lab.registry, repository, {
      ...image,
      changeManifest: (manifest) => {
        layerDigest = (manifest as { layers: { digest: string }[] }).layers[0]?.digest ?? '';
        return manifest;
      },
    });
    const path = place === 'manifest' ? `/v2/${repository}/manifests/1` : `/v2/${repository}/blobs/${layerDigest}`;
    lab.registry.script(path, step);
    return { reference, repair: () => void publishImage(lab.registry, repository, image) };
  }

  for (const place of ['manifest', 'layer'] as const) {
    for (const { name, step, code, kind, status } of answers) {
      test(`${name} for a ${place} is told with the registry, and the next pull works`, async () => {
        const { reference, repair } = publish(`lab/${place}-${name}`, place, step);
        const error = await rejection(lab.engine.images.pull(reference), code);
        const data = error.data as { registry?: string; status?: number };
        assert.equal(error.kind, kind);
        assert.equal(data.registry, lab.registry.host);
        assert.equal(data.status, status);
        assert.deepEqual(await lab.engine.images.list(), []);

        repair();
        await lab.engine.images.pull(reference);
        await lab.engine.images.remove(reference);
        assert.deepEqual(await storedContent(lab.options.root), []);
      });
    }
  }

  test('a port where nobody listens is told with the registry', async () => {
    const port = await freePort();
    const error = await rejection(lab.engine.images.pull(`127.0.0.1:${port}/a/b:1`), 'REGISTRY_UNREACHABLE');
    assert.equal(error.data.registry, `127.0.0.1:${port}`);
    assert.match(error.message, /ECONNREFUSED/);
  });

  test('a server that always hangs up is told with the registry', async () => {
    const { reference } = publish('lab/hang-up', 'manifest', hangUp);
    const error = await rejection(lab.engine.images.pull(reference), 'REGISTRY_UNREACHABLE');
    assert.equal(error.data.registry, lab.registry.host);
  });

  test('a connection that is closed midway is taken up where it ended', async () => {
    const { reference } = publish('lab/closing', 'layer', cutAfter(layer, 300_000));
    const image = await lab.engine.images.pull(reference);
    const ranges = lab.registry.seen
      .filter(({ path }) => path.includes('/lab/closing/blobs/'))
      .map(({ headers }) => headers.range);
    assert.match(ranges.at(-1) ?? 'no range', /^bytes=[1-9]\d+-$/, 'what is here is not fetched again');
    await lab.engine.images.remove(image.name);
  });

  test('a layer that never gets further than its first bytes fails after some attempts', async () => {
    const stuck: Step = (request, response) =>
      cutAfter(layer, request.headers.range === undefined ? 1000 : 0)(request, response);
    const { reference } = publish('lab/stuck', 'layer', stuck);
    const error = await rejection(lab.engine.images.pull(reference), 'REGISTRY_UNREACHABLE');
    assert.equal(error.data.registry, lab.registry.host);
    assert.deepEqual(await lab.engine.images.list(), []);
  });

  test('a redirect to where nobody listens is told, and the next pull works', async () => {
    const { reference } = publish('lab/redirect', 'layer', (_request, response) => {
      response.writeHead(307, { location: 'http://127.0.0.1:1/elsewhere' });
      response.end();
    });
    await rejection(lab.engine.images.pull(reference), 'REGISTRY_UNREACHABLE');
    publish('lab/redirect', 'layer', replyBlob(layer));
    await lab.engine.images.pull(reference);
    await lab.engine.images.remove(reference);
    assert.deepEqual(await storedContent(lab.options.root), []);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
