/**
 * How a stream is compressed, by its first four bytes.
 *
 * @see RFC 1952 (gzip), RFC 8878 (zstd: a frame, or a skippable frame in front of one)
 */
export function compressionOf(start: Uint8Array): 'none' | 'gzip' | 'zstd' {
  const hex = Buffer.from(start.subarray(0, 4)).toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  return hex === '28b52ffd' || /^5.2a4d18$/.test(hex) ? 'zstd' : 'none';
}
