import { type Measurement, timed } from '../measurement.js';

const count = 20;

/** On a bridge where the contestant has one. */
export const burst: Measurement = {
  id: 'burst',
  title: `${count} at once, run /bin/true, create to removed, wall time`,
  unit: 'ms',
  runs: 5,
  async prepare({ run, networks }) {
    const network = networks.includes('bridge') ? 'bridge' : networks[0];
    if (run === undefined || network === undefined) return undefined;
    return { sample: () => timed(() => Promise.all(Array.from({ length: count }, () => run(network)))) };
  },
};
