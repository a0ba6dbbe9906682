import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import { LAYOUT_VERSION, StorageLayout } from '../core/storage-layout.js';
import { isMissing } from '../util/file-error.js';
import type { EngineOptions } from './engine-options.js';

const DEFAULT_ROOT = '/var/lib/tscontainer';
const DEFAULT_RUN = '/run/tscontainer';

/**
 * Makes the directories of an engine, and throws away what an earlier boot has left in RUN.
 *
 * @throws EngineError `UNKNOWN_VERSION` for a root that another version of this package has written.
 */
export function prepareRoot(options: EngineOptions): StorageLayout {
  const root = resolve(options.root ?? DEFAULT_ROOT);
  const hash = createHash('sha256').update(root).digest('hex').slice(0, 12);
  const layout = new StorageLayout(root, resolve(options.runRoot ?? join(DEFAULT_RUN, hash)));
  mkdirSync(layout.root, { recursive: true, mode: 0o711 });
  checkVersion(join(layout.root, 'version'));
  mkdirSync(layout.run, { recursive: true, mode: 0o700 });
  forgetEarlierBoot(layout);
  for (const directory of [
    layout.rootTarget(),
    join(layout.run, 'containers'),
    layout.trash(),
    layout.locks(),
    layout.names(),
  ]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  mkdirSync(layout.containers(), { recursive: true, mode: 0o711 });
  return layout;
}

function checkVersion(path: string): void {
  const found = readText(path);
  if (found === undefined) writeFileSync(path, `${LAYOUT_VERSION}\n`, { mode: 0o600 });
  else if (found !== LAYOUT_VERSION) {
    throw new EngineError('UNKNOWN_VERSION', { path, version: found, supported: LAYOUT_VERSION });
  }
}

/** Process identities of an earlier boot could match a process of this one. */
function forgetEarlierBoot(layout: StorageLayout): void {
  const path = join(layout.run, 'boot-id');
  const boot = readText('/proc/sys/kernel/random/boot_id') ?? '';
  if (readText(path) === boot) return;
  for (const directory of [join(layout.run, 'containers'), layout.runExits()]) {
    rmSync(directory, { recursive: true, force: true });
  }
  writeFileSync(path, boot, { mode: 0o600 });
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
