import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { formatFamiliarReference, formatReference, parseReference } from '#lib/core/reference.js';

const hex = 'a'.repeat(64);

const accepted: readonly (readonly [text: string, complete: string, familiar: string])[] = [
  ['debian', 'docker.io/library/debian:latest', 'debian:latest'],
  ['debian:12', 'docker.io/library/debian:12', 'debian:12'],
  ['docker.io/debian', 'docker.io/library/debian:latest', 'debian:latest'],
  ['docker.io/library/debian', 'docker.io/library/debian:latest', 'debian:latest'],
  ['index.docker.io/debian', 'docker.io/library/debian:latest', 'debian:latest'],
  ['registry-1.docker.io/library/debian:12', 'docker.io/library/debian:12', 'debian:12'],
  ['bitnami/redis', 'docker.io/bitnami/redis:latest', 'bitnami/redis:latest'],
  ['library/x/y', 'docker.io/library/x/y:latest', 'library/x/y:latest'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/app:v1.0_x-y', 'localhost:5000/app:v1.0_x-y', 'localhost:5000/app:v1.0_x-y'],
  ['GHCR.io/owner/app:Tag', 'ghcr.io/owner/app:Tag', 'ghcr.io/owner/app:Tag'],
  ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
  ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c:latest', '127.0.0.1:5000/a/b/c:latest'],
  ['a__b/c--d/e.f_g', 'docker.io/a__b/c--d/e.f_g:latest', 'a__b/c--d/e.f_g:latest'],
  [`debian@sha256:${hex}`, `docker.io/library/debian@sha256:${hex}`, `debian@sha256:${hex}`],
  [`debian:12@sha256:${hex}`, `docker.io/library/debian:12@sha256:${hex}`, `debian:12@sha256:${hex}`],
  [`x@sha512:${hex}${hex}`, `docker.io/library/x@sha512:${hex}${hex}`, `x@sha512:${hex}${hex}`],
  // The short form would be read as a host.
  ['docker.io/foo.bar/baz', 'docker.io/foo.bar/baz:latest', 'docker.io/foo.bar/baz:latest'],
  [`docker.io/library/${hex}`, `docker.io/library/${hex}:latest`, `${hex}:latest`],
  [`x:${'t'.repeat(128)}`, `docker.io/library/x:${'t'.repeat(128)}`, `x:${'t'.repeat(128)}`],
  [`h.io/${'r'.repeat(255)}`, `h.io/${'r'.repeat(255)}:latest`, `h.io/${'r'.repeat(255)}:latest`],
];

test('references are normalised as Docker does it, and both written forms lead back to the same value', () => {
  for (const [text, complete, familiar] of accepted) {
    const reference = parseReference(text);
    assert.equal(formatReference(reference), complete);
    assert.equal(formatFamiliarReference(reference), familiar);
    assert.deepEqual(parseReference(complete), reference);
    assert.deepEqual(parseReference(familiar), reference);
  }
});

test('a reference with a digest only has no tag', () => {
  assert.deepEqual(parseReference(`localhost:5000/a@sha256:${hex}`), {
    registry: 'localhost:5000',
    repository: 'a',
    digest: `sha256:${hex}`,
  });
});

test('what is no reference is refused with the reference and a reason', () => {
  const refused = [
    ['', 'empty'],
    ['Debian', 'lower case'],
    ['Debian/foo', 'lower case'],
    ['docker.io/Library/debian', 'lower case'],
    ['https://docker.io/debian', 'scheme'],
    [hex, 'image id'],
    ['a:', 'tag'],
    ['a:-x', 'tag'],
    ['a:b:c', 'parts'],
    [`a:${'t'.repeat(129)}`, 'tag'],
    ['a@sha256:abc', 'digest'],
    [`a@sha256:${hex.toUpperCase()}`, 'digest'],
    [`a@md5:${'a'.repeat(32)}`, 'digest'],
    [`a@sha256:${hex}@sha256:${hex}`, 'digest'],
    ['@', 'digest'],
    ['/a', 'parts'],
    ['a/', 'parts'],
    ['a//b', 'parts'],
    ['-a', 'parts'],
    ['a-', 'parts'],
    ['a___b', 'parts'],
    ['a._b', 'parts'],
    ['../etc/passwd', 'host'],
    ['a/../b', 'parts'],
    ['docker.io/', 'repository'],
    ['localhost:99999/a', 'port'],
    ['localhost:0/a', 'port'],
    ['localhost:/a', 'host'],
    ['[::g]/a', 'host'],
    ['[1.2.3]/a', 'host'],
    ['user@host.io/a', 'digest'],
    ['ho_st.io/a', 'host'],
    ['-host.io/a', 'host'],
    ['a b', 'parts'],
    ['a\n', 'parts'],
    ['a\0', 'parts'],
    ['ä', 'parts'],
    [`h.io/${'r'.repeat(256)}`, '255'],
    ['x'.repeat(2000), '1024'],
    [`${'a.'.repeat(200)}io/x`, 'host'],
  ] as const;
  for (const [text, reason] of refused) {
    assert.throws(
      () => parseReference(text),
      (error) =>
        EngineError.is(error, 'INVALID_REFERENCE') &&
        error.data.reference === text.slice(0, 300) &&
        error.data.reason.includes(reason),
      `${JSON.stringify(text.slice(0, 60))} should be refused for its ${reason}`,
    );
  }
});

test('parsing hostile text takes no time', () => {
  const started = performance.now();
  for (const part of ['a-', 'a__', 'a.', 'a/', 'a_', '-', 'a:']) {
    assert.throws(() => parseReference(`${part.repeat(500).slice(0, 1000)}!`));
  }
  assert.ok(performance.now() - started < 100);
});
