import { existsSync } from 'node:fs';
import type { ExitStatus } from '../core/exit-status.js';
import type { EndpointAddress } from '../network/network-driver.js';
import type { PortMapping } from '../network/port-mapping.js';
import { containerState } from './container-cgroup.js';
import type { ContainerConfig } from './container-config.js';
import { containerFiles, readRestarts } from './container-files.js';
import { currentRecord } from './container-limits.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import type { ContainerStatus } from './container-state.js';
import type { ContainerHealth } from './health/container-health.js';
import { currentHealth } from './health/health-file.js';

/** A container as plain data. */
export interface ContainerInspection {
  readonly id: string;
  readonly name: string;
  /** Undefined for one on files of the host. */
  readonly image: { readonly reference: string; readonly id: string } | undefined;
  readonly createdAt: Date;
  readonly status: ContainerStatus;
  /** Of its first process, on the host, while it runs or is paused. */
  readonly pid: number | undefined;
  readonly startedAt: Date | undefined;
  /** How it has ended; also while it is to be started again. */
  readonly exit: ExitStatus | undefined;
  /** How often its restart policy has started it since `start`. */
  readonly restartCount: number;
  /** Why its restart policy could not start it the last time. */
  readonly restartError: string | undefined;
  /** While it is `restarting`. */
  readonly nextStartAt: Date | undefined;
  /** What its health check says, since it was started; undefined without one. */
  readonly health: ContainerHealth | undefined;
  readonly network: {
    readonly name: string;
    /** While it runs or is paused. */
    readonly addresses: readonly EndpointAddress[];
    /** Published ports; while it runs with the host ports that were chosen. */
    readonly ports: readonly PortMapping[];
  };
  readonly config: ContainerConfig;
}

/** What is known of a container now. */
export async function inspectContainer(
  services: ContainerServices,
  record: ContainerRecord,
): Promise<ContainerInspection> {
  const { id, image, createdAt, config } = currentRecord(services, record);
  const state = containerState(services, record);
  const files = containerFiles(services.layout, id);
  // By others perhaps, which this object does not know.
  const renamed = existsSync(files.renamed) ? await services.records.read(id) : undefined;
  const restarts = readRestarts(files);
  const running = state.status === 'running' || state.status === 'paused' ? state : undefined;
  const endpoint = running && (await services.networks.get(config.network)?.inspect(id));
  return {
    id,
    name: renamed?.name ?? record.name,
    image: image && { reference: image.reference, id: image.id },
    createdAt: new Date(createdAt),
    status: state.status,
    pid: running?.process.pid,
    startedAt: state.status === 'created' ? undefined : state.startedAt,
    exit: 'exit' in state ? state.exit : undefined,
    restartCount: restarts.count,
    restartError: restarts.error,
    nextStartAt: state.status === 'restarting' ? state.nextStartAt : undefined,
    health: config.healthcheck && currentHealth(files, state),
    network: {
      name: config.network,
      addresses: endpoint?.addresses ?? [],
      ports: endpoint?.ports ?? config.ports,
    },
    config,
  };
}
