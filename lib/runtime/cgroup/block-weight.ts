/** Files of a group that take a weight of block I/O, by the scheduler that they belong to. */
export type BlockWeightFile = 'blkio.weight' | 'blkio.bfq.weight' | 'io.weight' | 'io.bfq.weight';

/**
 * The value for a weight of 10 to 1000. All files have that range but `io.weight`, which has 1 to 10000: the ends meet.
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst, "IO Interface Files"; Documentation/block/bfq-iosched.rst
 */
export function blockWeight(file: BlockWeightFile, weight: number): number {
  return file === 'io.weight' ? 1 + Math.round(((weight - 10) * 9999) / 990) : weight;
}
