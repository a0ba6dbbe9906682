import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownMountOptions, parseMountOptions } from '#lib/runtime/oci/mount-options.js';

test('flags become attributes, the rest belongs to the file system', () => {
  const options = parseMountOptions(['nosuid', 'noexec', 'nodev', 'ro', 'size=1m', 'newinstance', 'sync'], 'tmpfs');
  assert.equal(options.set, 0xfn);
  assert.deepEqual(options.data, ['size=1m', 'newinstance', 'sync']);
  assert.equal(options.bind, false);
});

test('of two options about one attribute the later one counts', () => {
  assert.deepEqual(
    [parseMountOptions(['ro', 'rw'], 'tmpfs'), parseMountOptions(['rw', 'ro'], 'tmpfs')].map(({ set, clear }) => [
      set,
      clear,
    ]),
    [
      [0n, 1n],
      [1n, 0n],
    ],
  );
  const times = parseMountOptions(['noatime', 'relatime', 'strictatime'], 'tmpfs');
  assert.deepEqual([times.set, times.clear], [0x20n, 0x70n]);
});

test('recursive forms are kept apart', () => {
  const options = parseMountOptions(['rbind', 'rro', 'rnosuid', 'nodev', 'rslave'], '');
  assert.deepEqual([options.bind, options.recursiveBind, options.set, options.recursiveSet], [true, true, 0x4n, 0x3n]);
  assert.deepEqual([options.propagation, options.recursivePropagation], [1 << 19, true]);
});

test('a bind mount takes no options of a superblock', () => {
  assert.deepEqual(parseMountOptions(['bind', 'sync', 'dirsync', 'async'], 'none').data, []);
});

test('idmap may carry its maps', () => {
  const options = parseMountOptions(['bind', 'ridmap=uids=0-1-2;gids=0-1-2'], '');
  assert.deepEqual([options.idMap, options.idMapText], ['ridmap', 'uids=0-1-2;gids=0-1-2']);
});

test('every option that is announced is understood', () => {
  for (const option of knownMountOptions()) {
    const { data } = parseMountOptions([option], 'bind');
    assert.deepEqual(data, [], option);
  }
});
