import type { Network } from '../contestant.js';
import { type Measurement, timed } from '../measurement.js';

export const runWithoutNetwork = runOn('none', 'run', 'run /bin/true, no network, create to removed');
export const runOnBridge = runOn('bridge', 'run-bridge', 'run /bin/true on a bridge, create to removed');

function runOn(network: Network, id: string, title: string): Measurement {
  return {
    id,
    title,
    unit: 'ms',
    runs: 50,
    async prepare({ run, networks }) {
      if (run === undefined || !networks.includes(network)) return undefined;
      return { sample: () => timed(() => run(network)) };
    },
  };
}
