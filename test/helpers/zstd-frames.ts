const maxBlock = 128 * 1024;

/** A zstd frame whose blocks are stored; its checksum, which our decoder leaves to the diffID, is wrong. @see RFC 8878, section 3.1.1 */
export function storedFrame(content: Buffer, { last = true, checksum = false } = {}): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < content.length || at === 0; at += maxBlock) {
    const part = content.subarray(at, at + maxBlock);
    blocks.push(blockHeader(last && at + maxBlock >= content.length, 0, part.length), part);
  }
  return Buffer.concat([frameHeader(checksum), ...blocks, Buffer.alloc(checksum ? 4 : 0)]);
}

/** A frame of one block that repeats a byte `count` times (at most 131072). */
export function rleFrame(byte: string, count: number): Buffer {
  return Buffer.concat([frameHeader(false), blockHeader(true, 1, count), Buffer.from(byte)]);
}

export function skippableFrame(size: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a53, 0);
  header.writeUInt32LE(size, 4);
  return Buffer.concat([header, Buffer.alloc(size, 0x28)]);
}

/** Magic, a descriptor without content size, a window of 1 MiB. */
function frameHeader(checksum: boolean): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, checksum ? 4 : 0, 10 << 3]);
}

function blockHeader(last: boolean, type: number, size: number): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((last ? 1 : 0) | (type << 1) | (size << 3), 0, 3);
  return header;
}
