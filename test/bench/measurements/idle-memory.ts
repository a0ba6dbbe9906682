import { readdir, readFile } from 'node:fs/promises';
import type { Contestant, IdleContainer } from '../contestant.js';
import type { Measurement } from '../measurement.js';

const containers = 10;

/** Proportional set size of the processes that appear with a container and are not the container's own. */
export const idleMemory: Measurement = {
  id: 'memory',
  title: 'memory of one idle container beside its own process (PSS)',
  unit: 'KiB',
  runs: 3,
  async prepare(contestant) {
    const { startIdle } = contestant;
    if (startIdle === undefined) return undefined;
    return {
      async sample() {
        const before = new Set((await helpers(contestant)).map(({ pid }) => pid));
        const started: IdleContainer[] = [];
        for (let index = 0; index < containers; index++) started.push(await startIdle());
        const appeared = (await helpers(contestant)).filter(({ pid }) => !before.has(pid));
        const sizes = await Promise.all(appeared.map(({ pid }) => proportionalSetSize(pid)));
        for (const container of started) await container.remove();
        return sizes.reduce((sum, size) => sum + size, 0) / containers;
      },
    };
  },
};

async function helpers({ helperProcesses }: Contestant): Promise<{ readonly pid: string }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = pids.map(async (pid) => {
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
    return { pid, isHelper: name !== '' && helperProcesses.some((helper) => name.startsWith(helper)) };
  });
  return (await Promise.all(found)).filter(({ isHelper }) => isHelper);
}

/** In KiB, as the kernel prints it. @see proc(5), /proc/pid/smaps_rollup */
async function proportionalSetSize(pid: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]);
}
