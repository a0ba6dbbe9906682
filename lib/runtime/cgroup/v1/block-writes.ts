import type { WriteFile } from '../../launch-plan.js';
import type { BlockThrottle } from '../block-device-limit.js';
import { type BlockWeightFile, blockWeight } from '../block-weight.js';
import type { CgroupLimits } from '../resources.js';

const throttleFiles: Readonly<Record<BlockThrottle, string>> = {
  readBps: 'blkio.throttle.read_bps_device',
  writeBps: 'blkio.throttle.write_bps_device',
  readIops: 'blkio.throttle.read_iops_device',
  writeIops: 'blkio.throttle.write_iops_device',
};

/**
 * Limits of block I/O, each device in a write of its own. Weights of single devices go to the first of the files: the
 * kernel refuses them where the device has another scheduler.
 *
 * @see kernel Documentation/admin-guide/cgroup-v1/blkio-controller.rst
 */
export function blockWrites(
  directory: string,
  limits: CgroupLimits,
  weightFiles: readonly BlockWeightFile[],
): WriteFile[] {
  const write = (file: string, data: string): WriteFile => ({ op: 'write-file', path: `${directory}/${file}`, data });
  const { blockWeight: weight } = limits;
  return [
    ...(weight === undefined ? [] : weightFiles.map((file) => write(file, String(blockWeight(file, weight))))),
    ...(limits.blockWeights ?? []).flatMap(({ major, minor, value }) =>
      weightFiles.slice(0, 1).map((file) => write(`${file}_device`, `${major}:${minor} ${blockWeight(file, value)}`)),
    ),
    ...(limits.blockThrottles ?? []).map(({ major, minor, value, throttle }) =>
      write(throttleFiles[throttle], `${major}:${minor} ${value}`),
    ),
  ];
}
