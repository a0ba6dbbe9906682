import { EngineError } from '../../core/errors/engine-error.js';

/** A value for one block device. */
export interface BlockDeviceValue {
  readonly major: number;
  readonly minor: number;
  readonly value: number;
}

/** What is limited per device: bytes or operations a second, read or written. */
export type BlockThrottle = 'readBps' | 'writeBps' | 'readIops' | 'writeIops';

export interface BlockThrottleLimit extends BlockDeviceValue {
  readonly throttle: BlockThrottle;
}

/** @throws EngineError `INVALID_OPTION` for a device number or a value out of range. */
export function checkDeviceValues(
  values: readonly BlockDeviceValue[] | undefined,
  option: string,
  min: number,
  max: number,
): readonly BlockDeviceValue[] {
  for (const { major, minor, value } of values ?? []) {
    const isDevice = isWhole(major, 0, 4095) && isWhole(minor, 0, 1_048_575);
    if (!isDevice) throw invalid(option, 'a device number within 4095:1048575', `${major}:${minor}`);
    if (!isWhole(value, min, max)) throw invalid(option, `a whole number from ${min} to ${max}`, String(value));
  }
  return values ?? [];
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

function invalid(option: string, expected: string, got: string): EngineError {
  return new EngineError('INVALID_OPTION', { option, expected, got: got.slice(0, 200) });
}
