import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Container, Engine, EngineError, type EngineOptions } from 'tscontainer';
import { busyboxMembers } from './busybox-layer.js';
import { type FakeRegistry, startFakeRegistry } from './fake-registry.js';
import { assertSameFootprint, footprint } from './footprint.js';
import { publishImage } from './publish-image.js';
import { type TarMember, tarMember, tarOf } from './tar-builder.js';

/** An engine on directories of its own with a registry beside it, and the promise that both leave nothing behind. */
export interface EngineLab extends AsyncDisposable {
  readonly engine: Engine;
  readonly registry: FakeRegistry;
  readonly directory: string;
  readonly options: EngineOptions & { readonly root: string; readonly runRoot: string };
  /** Publishes busybox with these entries on top (they win) and `config`; returns the reference, not yet pulled. */
  image(entries?: readonly (TarMember | Buffer)[], run?: object): string;
}

export async function openEngineLab(options: EngineOptions = {}): Promise<EngineLab> {
  const before = await footprint();
  const directory = await mkdtemp(join(tmpdir(), 'tsc-lab-'));
  const registry = await startFakeRegistry();
  const all = { ...options, root: join(directory, 'root'), runRoot: join(directory, 'run') };
  const engine = await Engine.open(all);
  let images = 0;
  return {
    engine,
    registry,
    directory,
    options: all,
    image: (entries = [], run = {}) => {
      images += 1;
      const base = Buffer.concat([busyboxMembers(), Buffer.alloc(1024)]);
      const top = entries.map((each) => (Buffer.isBuffer(each) ? each : tarMember(each)));
      const layers = top.length === 0 ? [base] : [base, tarOf(...top)];
      return publishImage(registry, `lab/image-${images}`, { layers, run });
    },
    [Symbol.asyncDispose]: async () => {
      try {
        // What a test that has failed did not get to: it must not fail those after it, too.
        for (const each of await engine.containers.list().catch(noneWhenClosed)) await each.remove({ force: true });
      } finally {
        await engine.close();
        await registry.close();
        await assertSameFootprint(before);
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}

/** The test has closed the engine itself. */
function noneWhenClosed(error: unknown): readonly Container[] {
  if (EngineError.is(error, 'CLOSED')) return [];
  throw error;
}
