import { readFileSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import { fsCgroupControl } from '../../runtime/cgroup/fs-cgroup-control.js';
import { writeLimits } from '../../runtime/cgroup/write-limits.js';
import { resourceWrites } from '../../runtime/oci/cgroup/resource-writes.js';
import { decodeOci } from '../../runtime/oci/oci-config.js';
import { type OciResources, ociResources } from '../../runtime/oci/oci-resources.js';
import { readRecord } from './container-record.js';
import { statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';
import { hostHierarchies } from './host-cgroups.js';
import type { ParsedOptions } from './parse-arguments.js';

const options = {
  resources: { kind: 'text', short: 'r', help: 'file with resources as JSON; - for stdin' },
  memory: { kind: 'number', help: 'bytes' },
  'memory-reservation': { kind: 'number', help: 'bytes' },
  'memory-swap': { kind: 'number', help: 'bytes of memory and swap together' },
  'kernel-memory': { kind: 'number', help: 'accepted; kernels have no such limit any more' },
  'kernel-memory-tcp': { kind: 'number', help: 'bytes' },
  'cpu-share': { kind: 'number', help: 'weight' },
  'cpu-shares': { kind: 'number', help: 'weight' },
  'cpu-period': { kind: 'number', help: 'microseconds' },
  'cpu-quota': { kind: 'number', help: 'microseconds' },
  'cpu-burst': { kind: 'number', help: 'microseconds' },
  'cpu-rt-period': { kind: 'number', help: 'microseconds' },
  'cpu-rt-runtime': { kind: 'number', help: 'microseconds' },
  'cpu-idle': { kind: 'number', help: '0 or 1' },
  'cpuset-cpus': { kind: 'text', help: 'processors, like 0-2,7' },
  'cpuset-mems': { kind: 'text', help: 'memory nodes, like 0,1' },
  'pids-limit': { kind: 'number', help: 'processes and threads' },
  'blkio-weight': { kind: 'number', help: '10 to 1000' },
} as const;

/** Changes the resources of a running container. */
export const command = defineCommand({
  usage: 'update CONTAINER',
  options,
  operands: [1, 1],
  optionsAnywhere: true,
  run: async (context, parsed, [id = '']) => {
    const record = readRecord(context, id);
    const status = statusOf(record);
    if (status === 'stopped' || status === 'creating')
      throw new EngineError('WRONG_STATE', { id, status, wanted: 'running' });
    const { version, path } = record.cgroup;
    const resources = requestedResources(parsed);
    if (version === 'none') {
      const hint = 'the container has no cgroup';
      throw new EngineError('CONTROLLER_MISSING', { option: 'update', controller: 'any', hint });
    }
    const hierarchies = hostHierarchies();
    const fileOf = (controller: string, file: string): string => {
      const found = hierarchies.find((each) => each.version === 2 || each.controllers.includes(controller));
      return `${found?.directory ?? ''}${path}/${file}`;
    };
    const read = (controller: string, file: string): string | undefined => {
      try {
        return readFileSync(fileOf(controller, file), 'utf8');
      } catch {
        return undefined; // this kernel has no such file
      }
    };
    const writes = resourceWrites(resources, version, hierarchies, read, 'update');
    await writeLimits(
      writes.map(({ controller, file, data }) => ({ path: fileOf(controller, file), data })),
      fsCgroupControl,
    );
    return 0;
  },
});

function requestedResources(parsed: ParsedOptions<typeof options>): OciResources {
  if (parsed.resources !== undefined) {
    const path = parsed.resources;
    return decodeOci(readFileSync(path === '-' ? 0 : path, 'utf8'), ociResources, path);
  }
  const wide = (name: string, value: number | undefined) => (value === undefined ? {} : { [name]: BigInt(value) });
  const word = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: value });
  return {
    memory: {
      ...wide('limit', parsed.memory),
      ...wide('reservation', parsed['memory-reservation']),
      ...wide('swap', parsed['memory-swap']),
      ...wide('kernelTCP', parsed['kernel-memory-tcp']),
    },
    cpu: {
      ...wide('shares', parsed['cpu-share'] ?? parsed['cpu-shares']),
      ...wide('period', parsed['cpu-period']),
      ...wide('quota', parsed['cpu-quota']),
      ...wide('burst', parsed['cpu-burst']),
      ...wide('realtimePeriod', parsed['cpu-rt-period']),
      ...wide('realtimeRuntime', parsed['cpu-rt-runtime']),
      ...wide('idle', parsed['cpu-idle']),
      ...word('cpus', parsed['cpuset-cpus']),
      ...word('mems', parsed['cpuset-mems']),
    },
    ...(parsed['pids-limit'] !== undefined && { pids: { limit: BigInt(parsed['pids-limit']) } }),
    ...(parsed['blkio-weight'] !== undefined && { blockIO: { weight: parsed['blkio-weight'] } }),
  };
}
