import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { busyboxImage, busyboxRoot } from '../helpers/busybox-image.js';
import { startDockerRegistry } from '../helpers/docker-registry.js';
import { pushImage } from '../helpers/image-layout.js';
import { largeImage } from '../helpers/large-image.js';
import type { Contestant, ContestantFactory } from './contestant.js';
import { bubblewrap } from './contestants/bubblewrap.js';
import { childProcess } from './contestants/child-process.js';
import { docker } from './contestants/docker.js';
import { crun, runc } from './contestants/oci-runtime.js';
import { podman } from './contestants/podman.js';
import { tscontainer, tscontainerErofs } from './contestants/tscontainer.js';
import { rememberHostState } from './host-state.js';
import { measure } from './measure.js';
import type { Measurement, Result } from './measurement.js';
import { burst } from './measurements/burst.js';
import { commit } from './measurements/commit.js';
import { exec } from './measurements/exec.js';
import { idleMemory } from './measurements/idle-memory.js';
import { outputWithLog, outputWithoutLog } from './measurements/output.js';
import { eventLoopDelay, pull } from './measurements/pull.js';
import { runOnBridge, runWithoutNetwork } from './measurements/run.js';
import { printFailures, printResults } from './print-results.js';
import { runWithPrivateMounts } from './private-mounts.js';

const factories: Readonly<Record<string, ContestantFactory>> = {
  tscontainer,
  tscontainer_erofs: tscontainerErofs,
  child_process: childProcess,
  bwrap: bubblewrap,
  crun,
  runc,
  podman,
  docker,
};

const measurements: readonly Measurement[] = [
  runWithoutNetwork,
  runOnBridge,
  exec,
  burst,
  idleMemory,
  pull,
  eventLoopDelay,
  commit,
  outputWithoutLog,
  outputWithLog,
];

const usage = `npm run bench -- [--only ID,…] [--peers NAME,…] [--runs N] [--json FILE]
  measurements: ${measurements.map((each) => each.id).join(' ')}
  peers:        ${Object.keys(factories).join(' ')}`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    peers: { type: 'string' },
    runs: { type: 'string' },
    json: { type: 'string', default: `bench-${new Date().toISOString().slice(0, 10)}.json` },
    help: { type: 'boolean', default: false },
  },
});

/** The named entries in the order of `all`; a name that is none ends the program with the usage. */
function select<T>(names: string | undefined, all: readonly (readonly [string, T])[]): (readonly [string, T])[] {
  const wanted = names?.split(',');
  const unknown = wanted?.filter((name) => !all.some(([known]) => known === name)) ?? [];
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}\n${usage}`);
  return all.filter(([name]) => wanted?.includes(name) ?? true);
}

async function main(): Promise<void> {
  const chosen = select(
    options.only,
    measurements.map((each) => [each.id, each] as const),
  );
  const peers = select(options.peers, Object.entries(factories));
  const runs = options.runs === undefined ? undefined : Number(options.runs);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) throw new Error(`--runs ${options.runs}\n${usage}`);
  if (process.geteuid?.() !== 0) throw new Error('the benchmark needs root: the peers do');

  // Where engines keep their data in use: a crowded temporary directory makes every new file slower.
  const directory = await mkdtemp('/var/lib/tscontainer-bench-');
  const contestants: Contestant[] = [];
  const results: Result[] = [];
  const hostState = await rememberHostState(directory);
  try {
    await using registry = await startDockerRegistry();
    const layout = await busyboxImage();
    const busybox = { busyboxLayout: layout, busyboxRoot: await busyboxRoot() };
    const busyboxReference = await pushImage(layout, registry.host, 'busybox:latest');
    for (const [name, make] of peers) {
      const own = join(directory, name);
      await mkdir(own);
      try {
        const made = await make({ directory: own, registryHost: registry.host, busyboxReference, ...busybox });
        if ('missing' in made) console.log(`without ${name}: ${made.missing}`);
        else contestants.push(made);
      } catch (error) {
        console.error(`without ${name}: ${inspect(error)}`);
        process.exitCode = 1;
      }
    }
    let pushed: Promise<string> | undefined;
    const largeImageReference = (): Promise<string> => {
      pushed ??= largeImage().then((large) => pushImage(large, registry.host, 'large:latest'));
      return pushed;
    };
    for (const [, each] of chosen) {
      console.error(`measuring ${each.id} …`);
      const measured = await measure(each, contestants, runs ?? each.runs, { largeImageReference });
      printResults(measured, console.log);
      printFailures(measured, console.error);
      results.push(...measured);
    }
    await writeFile(options.json, `${JSON.stringify(report(contestants, results), undefined, 2)}\n`);
    console.log(`\nwritten to ${options.json}`);
    if (results.some((each) => each.failure !== undefined)) process.exitCode = 1;
  } finally {
    for (const each of contestants.reverse()) await each[Symbol.asyncDispose]();
    await hostState[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  }
}

function report(contestants: readonly Contestant[], results: readonly Result[]): object {
  return {
    date: new Date().toISOString(),
    machine: { cpus: cpus().length, model: cpus()[0]?.model, memoryBytes: totalmem(), kernel: release() },
    node: process.version,
    contestants: contestants.map(({ name, version }) => ({ name, version })),
    results,
  };
}

if (options.help) console.log(usage);
else {
  const exitCode = runWithPrivateMounts();
  if (exitCode === undefined) await main();
  else process.exitCode = exitCode;
}
