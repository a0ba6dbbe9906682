import { writeFileSync } from 'node:fs';
import { EngineError } from '../core/errors/engine-error.js';
import { containerFiles } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';

/**
 * Gives a container another name; its host name stays. A crash in the middle leaves it with one of the two.
 *
 * @returns the record that it has now.
 * @throws EngineError `INVALID_NAME`, `NAME_TAKEN`, `NO_SUCH_CONTAINER`.
 */
export async function renameContainer(services: ContainerServices, id: string, name: string): Promise<ContainerRecord> {
  const { records, events } = services;
  const record = await records.read(id);
  if (record === undefined) throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
  if (record.name === name) return record;
  const renamed = { ...record, name };
  writeFileSync(containerFiles(services.layout, id).renamed, '', { mode: 0o600 });
  await records.reserveName(name, id);
  try {
    await records.save(renamed);
  } catch (error) {
    // The last step of a save makes it survive a power cut: when that fails, the record has its new name already.
    const found = await records.look(id);
    if (!EngineError.is(found) && found?.name !== name) records.releaseName(name, id);
    throw error;
  }
  records.releaseName(record.name, id);
  events.renamed(renamed, record.name);
  return renamed;
}
