import { mkdtemp, rm } from 'node:fs/promises';
import { Engine, type EngineOptions } from 'tscontainer';
import { assertSameFootprint, type FootprintOptions, footprint } from './footprint.js';

/** An engine with a root of its own, and the promise that nothing is left of it. */
export interface TestEngine extends AsyncDisposable {
  readonly engine: Engine;
  /** Data root and run directory. */
  readonly root: string;
  readonly runRoot: string;
  /** Closes the engine and opens another one on the same root. */
  reopen(): Promise<Engine>;
}

/** Where the roots are: on the disk, as in use; a temporary file system would hide what a real one does. */
const PLACE = '/var/lib/tsc-test-';

/**
 * Opens an engine. On disposal it is closed, the machine is compared with what it was before, and the root is removed.
 */
export async function openEngine(options: EngineOptions = {}, parts: FootprintOptions = {}): Promise<TestEngine> {
  const before = await footprint(parts);
  const directory = await mkdtemp(PLACE);
  const places = { root: `${directory}/root`, runRoot: `${directory}/run` };
  let engine = await Engine.open({ ...places, ...options });
  return {
    ...places,
    get engine() {
      return engine;
    },
    async reopen() {
      await engine.close();
      engine = await Engine.open({ ...places, ...options });
      return engine;
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await assertSameFootprint(before);
      await rm(directory, { recursive: true });
    },
  };
}
