import { type Measurement, timed } from '../measurement.js';

/** Half of it can be compressed. */
const write =
  'for i in 1 2 3 4 5; do head -c 10000000 /dev/urandom > /r$i; head -c 10000000 /dev/zero | tr "\\0" x > /z$i; done';

export const commit: Measurement = {
  id: 'commit',
  title: 'commit a change of 100 MB',
  unit: 'ms',
  runs: 5,
  async prepare({ startIdle }) {
    const container = await startIdle?.();
    if (container?.commit === undefined || container.execute === undefined) {
      await container?.remove();
      return undefined;
    }
    const { commit: make, execute } = container;
    await execute(['sh', '-c', write]);
    return {
      async sample() {
        let remove: () => Promise<void> = async () => undefined;
        const duration = await timed(async () => {
          remove = await make();
        });
        await remove();
        return duration;
      },
      dispose: () => container.remove(),
    };
  },
};
