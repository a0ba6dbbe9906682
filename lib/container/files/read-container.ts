import { posix } from 'node:path';
import type { Abortable } from '../../core/abortable.js';
import type { PathStatus } from '../../layers/root-access.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import { readableView } from './container-view.js';
import { type CopyOptions, copyToHost, packFrom } from './copy-from.js';

/** What is at a path of a container, as an archive. */
export function packOut(
  services: ContainerServices,
  record: ContainerRecord,
  source: string,
  options: CopyOptions,
): AsyncIterable<Uint8Array> {
  return services.work.stream(options.signal, (signal) =>
    packFrom(services, readableView(services, record), source, { ...options, signal }),
  );
}

/** What is at a path of a container, to a path of the host. */
export function copyOut(
  services: ContainerServices,
  record: ContainerRecord,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<void> {
  return services.work.run(options.signal, async (signal) =>
    copyToHost(services, readableView(services, record), source, target, { ...options, signal }),
  );
}

/** What is at a path of a container; a link at its end is not followed. */
export function statInside(
  services: ContainerServices,
  record: ContainerRecord,
  path: string,
  options: Abortable,
): Promise<PathStatus> {
  return services.work.run(options.signal, async (signal) => {
    const view = readableView(services, record);
    return services.rootAccess.stat(view, { path: posix.resolve('/', path), follow: false, signal });
  });
}
