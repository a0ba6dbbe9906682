import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { unpack, withDirectory } from '../helpers/layer-fixtures.js';
import {
  gnuLong,
  paxHeader,
  rawPaxHeader,
  type TarMember,
  tarHeader,
  tarMember,
  tarOf,
} from '../helpers/tar-builder.js';
import { compareListings, listTree } from '../helpers/tree-listing.js';

interface Attack {
  /** The attack as an archive; `outside` is the absolute path of the canary tree. */
  readonly archive: (outside: string) => Buffer;
  /** What the archive makes inside instead, or why it is refused. */
  readonly expected: { readonly inside: readonly string[] } | { readonly refused: RegExp };
  /** The harmless archive of the same form, and what it makes. */
  readonly twin: readonly (TarMember | Buffer)[];
  readonly twinMakes: readonly string[];
}

const attacks: Record<string, Attack> = {
  'a name with ..': {
    archive: () => tarOf({ name: '../outside/planted', content: 'x' }),
    expected: { refused: /leaves the root/ },
    twin: [{ name: 'a/../inside', content: 'x' }],
    twinMakes: ['inside'],
  },
  'a name with .. in the middle': {
    archive: () => tarOf({ name: 'a/b/../../../outside/planted', content: 'x' }),
    expected: { refused: /leaves the root/ },
    twin: [{ name: 'a/b/../c', content: 'x' }],
    twinMakes: ['a', 'a/c'],
  },
  'an absolute name': {
    archive: (outside) => tarOf({ name: `////${outside}/planted`.slice(0, 100), content: 'x' }),
    expected: { inside: ['planted'] },
    twin: [{ name: '/etc/inside', content: 'x' }],
    twinMakes: ['etc', 'etc/inside'],
  },
  'a file below an absolute link': {
    archive: (outside) => tarOf({ name: 'l', type: '2', link: outside }, { name: 'l/planted', content: 'x' }),
    expected: { inside: ['l', 'planted'] },
    twin: [
      { name: 'd/', type: '5' },
      { name: 'l', type: '2', link: '/d' },
      { name: 'l/f', content: 'x' },
    ],
    twinMakes: ['d', 'd/f', 'l'],
  },
  'a file below a relative link that climbs': {
    archive: () => tarOf({ name: 'l', type: '2', link: '../../../outside' }, { name: 'l/planted', content: 'x' }),
    expected: { inside: ['l', 'outside', 'outside/planted'] },
    twin: [
      { name: 'd/l', type: '2', link: '../e' },
      { name: 'd/l/f', content: 'x' },
    ],
    twinMakes: ['d', 'd/l', 'e', 'e/f'],
  },
  'a file written through a link of the same name': {
    archive: (outside) =>
      tarOf({ name: 'f', type: '2', link: `${outside}/file` }, { name: 'f', content: 'overwritten' }),
    expected: { inside: ['f'] },
    twin: [
      { name: 'g', content: 'one' },
      { name: 'g', content: 'two' },
    ],
    twinMakes: ['g'],
  },
  'CVE-2021-41089: chmod of a directory that is a link': {
    archive: (outside) =>
      tarOf({ name: 'd', type: '2', link: outside }, { name: 'd/', type: '5', mode: 0o777, uid: 1234 }),
    expected: { inside: ['d'] },
    twin: [
      { name: 'd/', type: '5' },
      { name: 'd/', type: '5', mode: 0o777 },
    ],
    twinMakes: ['d'],
  },
  'chmod of a file below a link': {
    archive: (outside) =>
      tarOf({ name: 'd', type: '2', link: outside }, { name: 'd/file', mode: 0o4777, content: 'x' }),
    expected: { inside: ['d', 'file'] },
    twin: [{ name: 'f', mode: 0o4777, content: 'x' }],
    twinMakes: ['f'],
  },
  'CVE-2026-24842: a hard link with ..': {
    archive: () => tarOf({ name: 'l', type: '1', link: '../outside/file' }),
    expected: { refused: /leaves the root/ },
    twin: [
      { name: 'f', content: 'x' },
      { name: 'l', type: '1', link: 'a/../f' },
    ],
    twinMakes: ['f', 'l'],
  },
  'CVE-2026-26960: a hard link through a chain of links, then written': {
    archive: (outside) =>
      tarOf(
        { name: 'a', type: '2', link: 'b' },
        { name: 'b', type: '2', link: outside },
        { name: 'l', type: '1', link: 'a/file' },
        { name: 'l', content: 'overwritten' },
      ),
    expected: { inside: ['a', 'b', 'l'] },
    twin: [
      { name: 'd/f', content: 'x' },
      { name: 'a', type: '2', link: 'd' },
      { name: 'l', type: '1', link: 'a/f' },
    ],
    twinMakes: ['a', 'd', 'd/f', 'l'],
  },
  'a hard link to a link, then written': {
    archive: (outside) =>
      tarOf(
        { name: 's', type: '2', link: `${outside}/file` },
        { name: 'l', type: '1', link: 's' },
        { name: 'l', content: 'overwritten' },
      ),
    expected: { inside: ['l', 's'] },
    twin: [
      { name: 's', type: '2', link: 'x' },
      { name: 'l', type: '1', link: 's' },
    ],
    twinMakes: ['l', 's'],
  },
  'a whiteout below a link': {
    archive: (outside) => tarOf({ name: 'd', type: '2', link: outside }, { name: 'd/.wh.file' }),
    expected: { inside: ['d', 'file'] },
    twin: [{ name: 'd/', type: '5' }, { name: 'd/.wh.file' }],
    twinMakes: ['d', 'd/file'],
  },
  'an opaque marker below a link': {
    archive: (outside) => tarOf({ name: 'd', type: '2', link: outside }, { name: 'd/.wh..wh..opq' }),
    expected: { inside: ['d'] },
    twin: [{ name: 'd/', type: '5' }, { name: 'd/.wh..wh..opq' }],
    twinMakes: ['d'],
  },
  'a device below a link': {
    archive: (outside) =>
      tarOf({ name: 'd', type: '2', link: outside }, { name: 'd/node', type: '3', major: 1, minor: 3 }),
    expected: { inside: ['d', 'node'] },
    twin: [{ name: 'node', type: '3', major: 1, minor: 3 }],
    twinMakes: ['node'],
  },
  'a loop of links': {
    archive: () =>
      tarOf({ name: 'a', type: '2', link: 'b' }, { name: 'b', type: '2', link: 'a' }, { name: 'a/f', content: 'x' }),
    expected: { refused: /a\/?f?/ },
    twin: [
      { name: 'a', type: '2', link: 'b' },
      { name: 'b', type: '2', link: 'c' },
      { name: 'a/f', content: 'x' },
    ],
    twinMakes: ['a', 'b', 'c', 'c/f'],
  },
  'a link to /proc': {
    archive: () => tarOf({ name: 'p', type: '2', link: '/proc/self/cwd' }, { name: 'p/planted', content: 'x' }),
    expected: { inside: ['p', 'proc', 'proc/self', 'proc/self/cwd', 'proc/self/cwd/planted'] },
    twin: [{ name: 'proc/', type: '5' }],
    twinMakes: ['proc'],
  },
  'CVE-2025-62518: a PAX size that is applied to the long name behind it': {
    archive: () =>
      tarOf(
        paxHeader({ size: '1024' }),
        gnuLong('L', 'long'),
        tarHeader({ name: 'short', size: 0 }),
        tarMember({ name: '../outside/planted', content: 'x' }),
      ),
    expected: { inside: ['long'] },
    twin: [paxHeader({ size: '3' }), gnuLong('L', 'long'), tarMember({ name: 'short', content: 'abc' })],
    twinMakes: ['long'],
  },
  'a NUL in a PAX path': {
    archive: () => tarOf({ name: 'f', pax: { path: 'good\0/../../outside/planted' } }),
    expected: { refused: /'path' has a bad value/ },
    twin: [{ name: 'f', pax: { path: 'good' } }],
    twinMakes: ['good'],
  },
  'a PAX length that lies': {
    archive: () => tarOf(rawPaxHeader(Buffer.from('99 path=planted\n')), { name: 'f' }),
    expected: { refused: /malformed/ },
    twin: [{ name: 'f', pax: { x: '1\n19 path=no record' } }],
    twinMakes: ['f'],
  },
  'a global PAX header that renames everything': {
    archive: () => tarOf(paxHeader({ path: '../outside/planted' }, 'g'), { name: 'f' }),
    expected: { refused: /global PAX header sets 'path'/ },
    twin: [paxHeader({ comment: 'x' }, 'g'), tarMember({ name: 'f' })],
    twinMakes: ['f'],
  },
};

for (const whiteout of ['.wh.', '.wh..', '.wh...', 'd/.wh.', '.wh.x/y'])
  attacks[`a whiteout of nothing: ${whiteout}`] = {
    archive: () => tarOf({ name: whiteout }),
    expected: { refused: /whiteout/ },
    twin: [{ name: '.wh.x' }],
    twinMakes: ['x'],
  };

const paths = async (directory: string): Promise<string[]> =>
  (await listTree(join(directory, 'fs'))).map(({ path }) => path).filter((path) => path !== '');

for (const [what, attack] of Object.entries(attacks)) {
  for (const flags of [[], ['--names']]) {
    test(`${what} changes nothing outside the layer${flags.length > 0 ? ' (whiteouts kept as names)' : ''}`, () =>
      withDirectory(async (directory) => {
        const outside = join(directory, 'outside');
        await mkdir(outside);
        await writeFile(join(outside, 'file'), 'canary');
        await chmod(join(outside, 'file'), 0o640);
        const before = await listTree(outside);
        const report = await unpack(directory, attack.archive(outside), flags);
        assert.deepEqual(compareListings(before, await listTree(outside)), []);
        if ('refused' in attack.expected) {
          assert.match(report.failure?.detail ?? 'accepted', attack.expected.refused);
        } else {
          assert.equal(report.failure, undefined, JSON.stringify(report.failure));
          const made = (await paths(directory)).map((path) => path.replace(/^.*\.wh\./, ''));
          for (const path of attack.expected.inside)
            assert.ok(
              made.some((each) => each.endsWith(path)),
              `${path} is not in ${made.join(' ')}`,
            );
        }
      }));
  }

  test(`${what}: its honest twin works`, () =>
    withDirectory(async (directory) => {
      const report = await unpack(directory, tarOf(...attack.twin));
      assert.equal(report.failure, undefined, JSON.stringify(report.failure));
      assert.deepEqual(await paths(directory), attack.twinMakes);
    }));
}
