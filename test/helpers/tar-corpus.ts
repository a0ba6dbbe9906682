import {
  base256,
  gnuLong,
  padded,
  paxHeader,
  paxRecord,
  rawPaxHeader,
  tarHeader,
  tarMember,
  tarOf,
} from './tar-builder.js';

const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;

/** Archives that reach every part of the reader, as seeds of mutations. */
export const tarCorpus: Readonly<Record<string, Buffer>> = {
  types: tarOf(
    { name: 'd/', type: '5' },
    { name: 'd/f', content: 'hello' },
    { name: 'l', type: '2', link: 'd/f' },
    { name: 'h', type: '1', link: 'd/f' },
    { name: 'c', type: '3', major: 1, minor: 3 },
    { name: 'p', type: '6' },
  ),
  long: tarOf(gnuLong('K', 'k'.repeat(600)), gnuLong('L', 'n'.repeat(600)), tarMember({ name: 'x', type: '2' })),
  pax: tarOf(
    paxHeader({ uid: '5', comment: 'c' }, 'g'),
    tarMember({
      name: 'x',
      content: 'abc',
      pax: { path: 'a/b', mtime: '-1.5', size: '3', gid: '7', 'SCHILY.xattr.user.a': Buffer.from([0, 10, 255]) },
    }),
  ),
  numbers: tarOf({ name: 'n', raw: { 108: base256(3_000_000n, 8), 136: base256(-5n, 12) } }),
  prefix: tarOf({ name: 'b'.repeat(100), prefix: 'p'.repeat(155) }),
  'sparse-gnu': tarOf(
    tarHeader({
      name: 's',
      type: 'S',
      size: 8,
      magic: 'ustar  \0',
      raw: { 386: octal(0) + octal(4), 482: '\x01', 483: octal(5000) },
    }),
    padded(Buffer.from(octal(4000) + octal(4))),
    padded(Buffer.from('headtail')),
  ),
  'sparse-0': tarOf(
    rawPaxHeader(
      Buffer.concat([
        paxRecord('GNU.sparse.size', '5000'),
        paxRecord('GNU.sparse.offset', '0'),
        paxRecord('GNU.sparse.numbytes', '4'),
        paxRecord('GNU.sparse.offset', '4000'),
        paxRecord('GNU.sparse.numbytes', '4'),
      ]),
    ),
    tarMember({ name: 's', content: 'headtail' }),
    tarMember({ name: 't', content: 'headtail', pax: { 'GNU.sparse.size': '5000', 'GNU.sparse.map': '0,4,4000,4' } }),
  ),
  'sparse-1': tarOf(
    paxHeader({
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 's',
      'GNU.sparse.realsize': '5000',
    }),
    tarHeader({ name: 'x', size: 520 }),
    padded(Buffer.from('2\n0\n4\n4000\n4\n')),
    padded(Buffer.from('headtail')),
  ),
};
