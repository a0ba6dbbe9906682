import { busyboxText } from '../../helpers/busybox-image.js';
import type { Log } from '../contestant.js';
import { dropCaches } from '../drop-caches.js';
import { type Measurement, timed } from '../measurement.js';

const bytes = 1_000_000_000;
/** One process copies one file again and again: the producer is to be as little in the way as possible. */
const script = `exec cat $(yes $ROOT${busyboxText.path} | head -n ${bytes / busyboxText.bytes})`;

export const outputWithoutLog = outputWith('none', 'stdout', '1 GB of text lines from stdout to the caller, no log');
export const outputWithLog = outputWith(
  'default',
  'stdout-log',
  '1 GB of text lines from stdout, with the default log',
);

function outputWith(log: Log, id: string, title: string): Measurement {
  return {
    id,
    title,
    unit: 's',
    runs: 3,
    async prepare({ readOutput, logs }) {
      if (readOutput === undefined || !logs.includes(log)) return undefined;
      return {
        async sample() {
          await dropCaches();
          let received = 0;
          const duration = await timed(async () => {
            received = await readOutput(['sh', '-c', script], log);
          });
          if (received !== bytes) throw new Error(`${received} of ${bytes} bytes arrived`);
          return duration / 1_000;
        },
      };
    },
  };
}
