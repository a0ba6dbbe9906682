import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { createLayerShim } from '../shim/layer-shim.js';
import { createShimRootAccess } from '../shim/shim-root-access.js';

const emptyArchive = new Uint8Array(1024);

/**
 * Why indexed layers cannot be used here, or undefined: found out by mounting one below an overlay, where nobody sees it.
 *
 * @param directory where layers will be.
 */
export async function erofsProblem(shimPath: string, directory: string): Promise<string | undefined> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const scratch = await mkdtemp(join(directory, 'probe-'));
  try {
    const [layer, empty, jail] = ['layer', 'empty', 'jail'].map((name) => join(scratch, name)) as [
      string,
      string,
      string,
    ];
    for (const each of [layer, empty, jail]) await mkdir(each);
    const shim = createLayerShim({ shimPath, sync: false });
    await shim.unpack(once(emptyArchive), layer, { layer: 'probe', whiteouts: 'index' });
    const view = { kind: 'layers', directories: [join(layer, 'index.erofs'), empty], binds: [] } as const;
    await createShimRootAccess(shimPath, jail).stat(view, { path: '/', follow: false });
    return undefined;
  } catch (error) {
    if (EngineError.is(error, 'SYSTEM_CALL_FAILED')) return error.message;
    throw error;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
