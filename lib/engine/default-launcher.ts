import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import type { StorageLayout } from '../core/storage-layout.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Launcher } from '../runtime/launcher.js';
import { OciCliLauncher } from '../runtime/oci-cli/oci-cli-launcher.js';
import { ShimLauncher } from '../runtime/shim/shim-launcher.js';
import { isExecutable } from '../util/is-executable.js';
import type { EngineOptions } from './engine-options.js';
import { shimPaths } from './shim-paths.js';

/** What starts processes. @throws EngineError `UNSUPPORTED_HOST` when there is no such runtime. */
export function defaultLauncher(
  { launcher, runtime }: Pick<EngineOptions, 'launcher' | 'runtime'>,
  kernel: Kernel,
  layout: StorageLayout,
): Launcher {
  if (launcher !== undefined) return launcher;
  const shim = new ShimLauncher(kernel, shimPaths());
  if (runtime === undefined) return shim;
  return new OciCliLauncher(shim, {
    program: findProgram(runtime),
    environment: [`PATH=${process.env['PATH'] ?? ''}`],
    bundleOf: (id) => join(layout.runContainer(id), 'oci'),
    cgroupRoots: cgroupRoots(),
  });
}

function findProgram(runtime: string): string {
  const places = isAbsolute(runtime) ? [''] : (process.env['PATH'] ?? '').split(':').filter(isAbsolute);
  const found = places.map((place) => join(place, runtime)).find(isExecutable);
  if (found !== undefined && (isAbsolute(runtime) || !runtime.includes('/'))) return found;
  const hint = 'install it, or give its absolute path';
  throw new EngineError('UNSUPPORTED_HOST', { missing: `the OCI runtime '${runtime}'`, hint });
}

/** Runtimes make groups in hierarchies, too, that the engine does not use. @see proc(5), "/proc/pid/mountinfo" */
function cgroupRoots(): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4] ?? '');
}
