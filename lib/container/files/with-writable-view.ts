import type { RootView } from '../../layers/root-access.js';
import { lockContainer } from '../container-lock.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import { writableView } from './container-view.js';

/**
 * Changes a container's root. While it does not run nobody can start it meanwhile; a running one can be stopped.
 */
export async function withWritableView<T>(
  services: ContainerServices,
  record: ContainerRecord,
  signal: AbortSignal | undefined,
  work: (view: RootView) => Promise<T>,
): Promise<T> {
  const lock = await lockContainer(services, record.id, signal);
  try {
    const view = writableView(services, record);
    if (view.kind === 'process') await lock.release();
    return await work(view);
  } finally {
    await lock.release();
  }
}
