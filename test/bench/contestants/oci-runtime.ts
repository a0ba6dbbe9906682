import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecked } from '../../helpers/run-checked.js';
import type { ContestantFactory, Surroundings } from '../contestant.js';
import { programVersion } from '../program-version.js';
import { countOutput, spawnQuietly } from '../spawn-quietly.js';

/** `crun` and `runc`, driven by their command line with a bundle that was made beforehand: no image, no log. */
export const crun = ociRuntime('crun');
export const runc = ociRuntime('runc');

function ociRuntime(program: string): ContestantFactory {
  return async (surroundings) => {
    const version = await programVersion(program);
    if (version === undefined) return { missing: `${program} is not installed` };
    const state = ['--root', join(surroundings.directory, 'state')];
    let count = 0;
    const nextId = (): string => `tscontainer-bench-${program}-${process.pid}-${count++}`;
    const bundle = (command: readonly string[]) => makeBundle(program, surroundings, nextId(), command);
    const trueBundle = await bundle(['/bin/true']);
    const sleepBundle = await bundle(['/bin/sleep', '100000']);
    return {
      name: program,
      version,
      networks: ['none'],
      run: () => spawnQuietly(program, [...state, 'run', '--bundle', trueBundle, nextId()]),
      async startIdle() {
        const id = nextId();
        await spawnQuietly(program, [...state, 'run', '--detach', '--bundle', sleepBundle, id]);
        return {
          exec: () => spawnQuietly(program, [...state, 'exec', id, '/bin/true']),
          remove: () => spawnQuietly(program, [...state, 'delete', '--force', id]),
        };
      },
      helperProcesses: [],
      pullsInProcess: false,
      async readOutput(command) {
        return countOutput(program, [...state, 'run', '--bundle', await bundle(command), nextId()]);
      },
      logs: ['none'],
      async [Symbol.asyncDispose]() {},
    };
  };
}

async function makeBundle(
  program: string,
  { directory, busyboxRoot }: Surroundings,
  name: string,
  command: readonly string[],
): Promise<string> {
  const bundle = join(directory, name);
  await mkdir(bundle);
  await runChecked(program, ['spec'], { cwd: bundle });
  const path = join(bundle, 'config.json');
  const spec = JSON.parse(await readFile(path, 'utf8'));
  spec.process.args = command;
  spec.process.terminal = false;
  // Raising a limit needs a capability that root does not have on every machine.
  delete spec.process.rlimits;
  spec.root = { path: busyboxRoot, readonly: true };
  await writeFile(path, JSON.stringify(spec));
  return bundle;
}
