import { existsSync, writeFileSync } from 'node:fs';
import { type ContainerFiles, stopFile } from './container-files.js';
import type { ContainerRecord } from './container-record.js';

/** Whoever ends a container on purpose says so first: its supervisor must not start it again. */
export function preventRestart(files: ContainerFiles, { config }: ContainerRecord): void {
  if (config.restart === undefined) return;
  const path = stopFile(files, config.lifetime);
  if (!existsSync(path)) writeFileSync(path, '', { mode: 0o600, flush: config.lifetime === 'detached' });
}
