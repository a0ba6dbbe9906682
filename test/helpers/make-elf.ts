export interface ElfShape {
  readonly wide: boolean;
  readonly little: boolean;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly rpath?: string;
  readonly runpath?: string;
  readonly machine?: number;
}

const base = 0x40_0000;

/** The smallest file that a dynamic loader would recognise: headers, an interpreter, a dynamic section. */
export function makeElf(shape: ElfShape): Buffer {
  const { wide, little } = shape;
  const sizes = wide ? { header: 64, segment: 56, word: 8 } : { header: 52, segment: 32, word: 4 };
  const strings = Buffer.from(
    `\0${[...(shape.needed ?? []), shape.rpath ?? '', shape.runpath ?? ''].map((each) => `${each}\0`).join('')}`,
  );
  const interpreter = Buffer.from(shape.interpreter === undefined ? '' : `${shape.interpreter}\0`);
  const stringsAt = sizes.header + 3 * sizes.segment;
  const interpreterAt = stringsAt + strings.length;
  const tags: [number, number][] = [];
  let at = 1;
  for (const name of shape.needed ?? []) {
    tags.push([1, at]);
    at += Buffer.byteLength(name) + 1;
  }
  if (shape.rpath !== undefined) tags.push([15, at]);
  at += Buffer.byteLength(shape.rpath ?? '') + 1;
  if (shape.runpath !== undefined) tags.push([29, at]);
  tags.push([5, base + stringsAt], [0, 0]);
  const dynamicAt = interpreterAt + interpreter.length;
  const total = dynamicAt + tags.length * 2 * sizes.word;
  const file = Buffer.alloc(total);
  const half = (value: number, where: number) =>
    little ? file.writeUInt16LE(value, where) : file.writeUInt16BE(value, where);
  const int = (value: number, where: number) =>
    little ? file.writeUInt32LE(value, where) : file.writeUInt32BE(value, where);
  const word = (value: number, where: number): void => {
    if (!wide) int(value, where);
    else if (little) file.writeBigUInt64LE(BigInt(value), where);
    else file.writeBigUInt64BE(BigInt(value), where);
  };
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  half(shape.machine ?? 62, 18);
  word(sizes.header, wide ? 32 : 28);
  half(sizes.segment, wide ? 54 : 42);
  half(3, wide ? 56 : 44);
  const segment = (index: number, type: number, offset: number, size: number): void => {
    const where = sizes.header + index * sizes.segment;
    int(type, where);
    word(offset, where + (wide ? 8 : 4));
    word(base + offset, where + (wide ? 16 : 8));
    word(size, where + (wide ? 32 : 16));
  };
  segment(0, 1, 0, total);
  segment(1, shape.interpreter === undefined ? 4 : 3, interpreterAt, interpreter.length);
  segment(2, 2, dynamicAt, tags.length * 2 * sizes.word);
  strings.copy(file, stringsAt);
  interpreter.copy(file, interpreterAt);
  for (const [index, [tag, value]] of tags.entries()) {
    word(tag, dynamicAt + index * 2 * sizes.word);
    word(value, dynamicAt + index * 2 * sizes.word + sizes.word);
  }
  return file;
}
