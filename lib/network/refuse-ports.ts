import { EngineError } from '../core/errors/engine-error.js';
import { formatPortMapping, type PortMapping } from './port-mapping.js';

/** For networks without published ports: ignoring them would hide a mistake. @throws EngineError `INVALID_PORT_MAPPING`. */
export function refusePorts(ports: readonly PortMapping[], network: string): void {
  const [first] = ports;
  if (first === undefined) return;
  throw new EngineError('INVALID_PORT_MAPPING', {
    mapping: formatPortMapping(first),
    reason: `ports cannot be published with network '${network}'`,
  });
}
