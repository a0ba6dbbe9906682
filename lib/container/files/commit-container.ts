import type { ImageConfig, ImageRunConfig } from '../../core/image-config.js';
import type { CommitImageOptions } from '../../image/commit-image.js';
import type { Image } from '../../image/image.js';
import { containerState } from '../container-cgroup.js';
import type { ContainerConfig } from '../container-config.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import { pauseContainer, unpauseContainer } from '../pause-container.js';
import { changedRoot } from './container-view.js';

/** How a container becomes an image. */
export interface CommitOptions extends CommitImageOptions {
  /** A running container stands still meanwhile, so that its files fit together. Default true. */
  readonly pause?: boolean;
}

/** An image of the container's image and what it has changed. The caller holds the container's lock. */
export async function commitContainer(
  services: ContainerServices,
  record: ContainerRecord,
  { pause = true, ...options }: CommitOptions,
): Promise<Image> {
  const { signal } = options;
  const changed = await changedRoot(services, record);
  const isPausing = pause && containerState(services, record).status === 'running';
  if (isPausing) await pauseContainer(services, record, { signal });
  try {
    const image = await services.commitImage({
      ...options,
      base: record.image?.id,
      run: (base) => runConfigOf(record.config, base),
      createdBy: record.config.arguments.join(' '),
      layer: () => services.rootAccess.packChanges(changed, { signal }),
    });
    services.events.committed(record, image.id);
    return image;
  } finally {
    // It may have been killed, or gone on at somebody's order.
    if (isPausing && containerState(services, record).status === 'paused') await unpauseContainer(services, record);
  }
}

/** As the container was started, as Docker does it; what was set only for this one container is left out. */
function runConfigOf(config: ContainerConfig, base: ImageConfig['config'] = {}): ImageRunConfig {
  const { Env = [], Entrypoint = [], Cmd = [] } = base;
  const known = new Set(Env.map(nameOf));
  const isOwn = (entry: string): boolean => known.has(nameOf(entry)) || !['HOSTNAME', 'TERM'].includes(nameOf(entry));
  const { arguments: words } = config;
  const isUnchanged = isSame(words, [...Entrypoint, ...Cmd]);
  const command = isSame(words.slice(0, Entrypoint.length), Entrypoint)
    ? { Cmd: words.slice(Entrypoint.length) }
    : { Entrypoint: [], Cmd: words };
  return {
    ...base,
    ...(config.user !== '' && { User: config.user }),
    Env: config.environment.filter(isOwn),
    ...(config.workingDir !== '/' && { WorkingDir: config.workingDir }),
    Labels: config.labels,
    ...(!isUnchanged && command),
  };
}

const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? '';

const isSame = (words: readonly string[], others: readonly string[]): boolean =>
  JSON.stringify(words) === JSON.stringify(others);
