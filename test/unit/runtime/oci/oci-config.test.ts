import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { decodeOciConfig } from '#lib/runtime/oci/oci-config.js';
import { sampleOciConfig } from '../../../helpers/oci-config.js';

const decode = (value: object) => decodeOciConfig(JSON.stringify(value));
const sample = () => structuredClone(sampleOciConfig()) as unknown as Record<string, Record<string, unknown>>;

test('unknown properties are ignored, on every level', () => {
  const config = { ...sample(), vendor: { a: 1 } } as Record<string, object>;
  config['process'] = { ...config['process'], surprise: true };
  assert.deepEqual(decode(config), sampleOciConfig());
});

test('null means absent, as Go writes it', () => {
  const { process } = decode({ ...sample(), hooks: null, process: { args: ['x'], cwd: '/', env: null } });
  assert.deepEqual(process, { args: ['x'], cwd: '/' });
});

test('numbers keep all their digits', () => {
  const json = JSON.stringify(sample()).replace(
    '"noNewPrivileges":true',
    '"rlimits":[{"type":"RLIMIT_NOFILE","soft":9007199254740993,"hard":18446744073709551615}]',
  );
  const [limit] = decodeOciConfig(json).process?.rlimits ?? [];
  assert.deepEqual([limit?.soft, limit?.hard], [9_007_199_254_740_993n, 2n ** 64n - 1n]);
});

test('digits inside a text stay a text', () => {
  const { hostname } = decode({ ...sample(), hostname: 'a "12345678901234567890" \\ b' });
  assert.equal(hostname, 'a "12345678901234567890" \\ b');
});

describe('invalid values are errors that name their place', () => {
  const process = { args: ['x'], cwd: '/' };
  const cases: readonly (readonly [string, object, RegExp])[] = [
    ['a version of the future', { ociVersion: '2.0.0' }, /^config\.json\.ociVersion$/],
    ['a relative cwd', { process: { ...process, cwd: 'x' } }, /process\.cwd$/],
    ['a NUL in an argument', { process: { ...process, args: ['a\0'] } }, /process\.args\[0\]$/],
    ['a negative id', { process: { ...process, user: { uid: -1, gid: 0 } } }, /user\.uid$/],
    ['the id that means none', { process: { ...process, user: { uid: 4_294_967_295, gid: 0 } } }, /user\.uid$/],
    ['a fraction', { process: { ...process, oomScoreAdj: 0.5 } }, /oomScoreAdj$/],
    ['an unknown namespace', { linux: { namespaces: [{ type: 'colour' }] } }, /namespaces\[0\]\.type$/],
    ['a negative map', { linux: { uidMappings: [{ containerID: 0, hostID: -1, size: 1 }] } }, /\[0\]\.hostID$/],
    ['a hook without an absolute path', { hooks: { prestart: [{ path: 'x' }] } }, /prestart\[0\]\.path$/],
    ['mounts that are no list', { mounts: {} }, /mounts$/],
    ['a limit beyond 64 bits', { linux: { resources: { pids: { limit: '1' } } } }, /pids\.limit$/],
  ];
  for (const [name, change, path] of cases) {
    test(name, () => {
      assert.throws(
        () => decode({ ...sample(), ...change }),
        (error) => EngineError.is(error, 'INVALID_OCI_CONFIG') && path.test(error.data.path),
      );
    });
  }

  test('no JSON', () => {
    for (const text of ['', '{ invalid }', 'null', '[]', '{"ociVersion":']) {
      assert.throws(
        () => decodeOciConfig(text),
        (error) => EngineError.is(error, 'INVALID_OCI_CONFIG'),
        text,
      );
    }
  });
});
