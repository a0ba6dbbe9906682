import { type Measurement, timed } from '../measurement.js';

export const exec: Measurement = {
  id: 'exec',
  title: 'exec /bin/true in a running container',
  unit: 'ms',
  runs: 50,
  async prepare({ startIdle }) {
    const container = await startIdle?.();
    const run = container?.exec;
    if (run === undefined) {
      await container?.remove();
      return undefined;
    }
    return { sample: () => timed(run), dispose: () => container?.remove() ?? Promise.resolve() };
  },
};
