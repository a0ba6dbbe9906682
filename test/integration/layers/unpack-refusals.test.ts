import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpack, withDirectory } from '../../helpers/layer-fixtures.js';
import { base256, paxHeader, tarHeader, tarMember, tarOf } from '../../helpers/tar-builder.js';

/** Unpacks a bad archive and returns why it was refused. */
async function refusal(archive: Buffer): Promise<string> {
  return withDirectory(async (directory) => {
    const { failure } = await unpack(directory, archive);
    assert.notEqual(failure, undefined, 'the archive was accepted');
    return failure?.detail ?? '';
  });
}

const bad: Record<string, [archive: Buffer, reason: RegExp]> = {
  'a wrong checksum': [tarOf({ name: 'f', checksum: 'wrong' }), /checksum/],
  'a cut header': [tarHeader({ name: 'f' }).subarray(0, 300), /truncated/],
  'cut content': [Buffer.concat([tarHeader({ name: 'f', size: 5000 }), Buffer.alloc(4999)]), /truncated/],
  'cut padding': [tarMember({ name: 'f', content: 'x' }).subarray(0, 700), /truncated/],
  'a negative size': [tarOf({ name: 'f', raw: { 124: base256(-1n, 12) } }), /size is negative/],
  'a negative owner': [tarOf({ name: 'f', raw: { 108: base256(-1n, 8) } }), /uid is negative/],
  'an owner beyond 32 bits': [tarOf({ name: 'f', raw: { 108: base256(0xffff_ffffn, 8) } }), /out of range/],
  'a size beyond 63 bits': [tarOf({ name: 'f', raw: { 124: base256(1n << 70n, 12) } }), /size/],
  'a number that is none': [tarOf({ name: 'f', raw: { 108: '12x4567\0' } }), /uid field/],
  'an unknown type': [tarOf({ name: 'f', type: 'Z' }), /type 90/],
  'an empty link': [tarOf({ name: 'l', type: '2' }), /without a target/],
  'a directory with content': [tarOf({ name: 'd/', type: '0', content: 'x' }), /directory has content/],
  'device 0:0': [tarOf({ name: 'c', type: '3' }), /0:0/],
  'a device out of range': [tarOf({ name: 'c', type: '3', raw: { 329: base256(5000n, 8) } }), /out of range/],
  'a hard link to a directory': [tarOf({ name: 'd/', type: '5' }, { name: 'l', type: '1', link: 'd' }), /directory/],
  'a header after one zero block': [
    tarOf(tarMember({ name: 'a' }), Buffer.alloc(512), tarMember({ name: 'smuggled' })),
    /zero block/,
  ],
  'an end after an extended header': [tarOf(paxHeader({ path: 'x' })), /after an extended header/],
  'overlapping extents': [
    tarOf({ name: 's', content: 'abcdefgh', pax: { 'GNU.sparse.size': '99', 'GNU.sparse.map': '4,4,0,4' } }),
    /overlap/,
  ],
  'extents beyond the size': [
    tarOf({ name: 's', content: 'abcd', pax: { 'GNU.sparse.size': '9', 'GNU.sparse.map': '8,4' } }),
    /exceed/,
  ],
  'extents that do not fit the content': [
    tarOf({ name: 's', content: 'abcdefgh', pax: { 'GNU.sparse.size': '99', 'GNU.sparse.map': '0,4' } }),
    /maps 4 bytes but stores 8/,
  ],
  'an odd sparse map': [
    tarOf({ name: 's', content: 'abcd', pax: { 'GNU.sparse.size': '9', 'GNU.sparse.map': '0,4,5' } }),
    /odd/,
  ],
};

for (const [what, [archive, reason]] of Object.entries(bad)) {
  test(`${what} is refused`, async () => {
    assert.match(await refusal(archive), reason);
  });
}

test('a failure names the entry', async () => {
  await withDirectory(async (directory) => {
    const { failure } = await unpack(directory, tarOf({ name: 'good' }, { name: '../bad' }));
    assert.equal(failure?.entry, '../bad');
  });
});
