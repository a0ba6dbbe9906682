import { monitorEventLoopDelay } from 'node:perf_hooks';
import { dropCaches } from '../drop-caches.js';
import { type Measurement, timed } from '../measurement.js';

export const pull: Measurement = {
  id: 'pull',
  title: 'pull and unpack 5 layers (345 MB, 13,900 files) from a loopback registry',
  unit: 's',
  runs: 5,
  async prepare({ pull: pullImage, removeImage }, surroundings) {
    if (pullImage === undefined || removeImage === undefined) return undefined;
    const reference = await surroundings.largeImageReference();
    return {
      async sample() {
        await dropCaches();
        const duration = await timed(() => pullImage(reference));
        await removeImage(reference);
        return duration / 1_000;
      },
    };
  },
};

/** Only of those who pull in the caller's process: for others the question has no meaning. */
export const eventLoopDelay: Measurement = {
  id: 'event-loop',
  title: 'longest event loop delay while pulling and unpacking that image',
  unit: 'ms',
  runs: 5,
  async prepare({ pull: pullImage, removeImage, pullsInProcess }, surroundings) {
    if (pullImage === undefined || removeImage === undefined || !pullsInProcess) return undefined;
    const reference = await surroundings.largeImageReference();
    return {
      async sample() {
        await dropCaches();
        const monitor = monitorEventLoopDelay({ resolution: 1 });
        monitor.enable();
        await pullImage(reference);
        monitor.disable();
        await removeImage(reference);
        return monitor.max / 1e6;
      },
    };
  },
};
