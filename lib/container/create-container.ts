import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { RootMount } from '../core/mount.js';
import { configOf, type ImageRecord, stackOf } from '../image/image-record.js';
import { toFileError } from '../util/file-error.js';
import { UndoStack } from '../util/undo-stack.js';
import { buildProcessSpec } from './build-process-spec.js';
import { checkOptions } from './check-options.js';
import type { ContainerConfig } from './container-config.js';
import { containerFiles } from './container-files.js';
import { fixNamespaces } from './container-namespaces.js';
import type { ContainerOptions } from './container-options.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { rootfsMount } from './host-rootfs.js';
import { invalidOption } from './invalid-option.js';
import { commonMountPoints } from './mount-points.js';
import { resolveConfig } from './resolve-config.js';

/**
 * Makes a container: its record and a private writable view of its image. Nothing runs yet.
 *
 * @throws EngineError `INVALID_OPTION`, `NAME_TAKEN`, `NO_SUCH_IMAGE`, and what a pull throws.
 */
export async function createContainer(
  services: ContainerServices,
  options: ContainerOptions & Abortable,
): Promise<ContainerRecord> {
  checkOptions(options);
  // Held from looking the image up until the record names it: nobody may remove its layers in between.
  return services.holdContent(options.signal, async () => {
    const { image, rootfs } = options;
    if ((image === undefined) === (rootfs === undefined)) {
      throw invalidOption('image', 'given, or else the option rootfs', image ?? 'neither');
    }
    const found = image === undefined ? undefined : await obtainImage(services, image, options);
    options.signal?.throwIfAborted();
    return create(services, options, found);
  });
}

async function obtainImage(
  services: ContainerServices,
  reference: string,
  options: ContainerOptions & Abortable,
): Promise<ImageRecord> {
  const policy = options.pull ?? 'missing';
  if (!['missing', 'always', 'never'].includes(policy)) {
    throw new EngineError('INVALID_OPTION', { option: 'pull', expected: 'missing, always or never', got: policy });
  }
  const pull = (): Promise<ImageRecord> => services.pullImage(reference, { signal: options.signal });
  if (policy === 'always') return pull();
  const found = await services.findImage(reference);
  if (found !== undefined) return found;
  if (policy === 'never') throw new EngineError('NO_SUCH_IMAGE', { reference });
  return pull();
}

async function create(
  services: ContainerServices,
  options: ContainerOptions,
  image: ImageRecord | undefined,
): Promise<ContainerRecord> {
  const id = randomBytes(32).toString('hex');
  const config = await fixNamespaces(services, resolveConfig(id, options, image === undefined ? {} : configOf(image)));
  const { directory, runDirectory } = containerFiles(services.layout, id);
  const { records, layers } = services;
  if (config.namespaces?.users !== undefined && layers.kind === 'erofs')
    throw invalidOption('userns', "left out with layerStore 'erofs', whose layers cannot be mapped", 'ids');
  buildProcessSpec(config, services.host, true); // a filter that cannot be assembled is told here, not at the start
  const { name } = options;
  const undo = new UndoStack();
  try {
    undo.defer(() => {
      for (const each of [runDirectory, directory]) rmSync(each, { recursive: true, force: true });
    });
    records.makeDirectories(id);
    if (name !== undefined) {
      await records.reserveName(name, id);
      undo.defer(() => records.releaseName(name, id));
    }
    const volatile = config.lifetime === 'owner';
    const root =
      image === undefined
        ? makeRoot(config, directory, volatile)
        : await layers.prepare(stackOf(image), directory, { volatile, mountPoints: commonMountPoints });
    undo.defer(() => layers.discard(directory));
    const record: ContainerRecord = {
      version: 1,
      id,
      name: name ?? id.slice(0, 12),
      ...(image && { image: { reference: options.image ?? '', id: image.id, stack: [...stackOf(image)] } }),
      createdAt: services.now().toISOString(),
      owner: { pid: services.host.self.pid, startTicks: String(services.host.self.startTicks) },
      root,
      config,
    };
    await records.save(record);
    undo.commit();
    if (config.lifetime === 'owner') services.own.add(id);
    if (typeof options.log === 'function') services.logWriters.set(id, options.log);
    services.events.created(record);
    return record;
  } catch (error) {
    return undo.fail(toFileError(error, directory));
  }
}

/** On files of the host. */
function makeRoot({ rootfs }: ContainerConfig, directory: string, volatile: boolean): RootMount {
  if (rootfs === undefined) throw new EngineError('INTERNAL', { what: 'a container without an image and a directory' });
  const root = rootfsMount(rootfs, directory, volatile);
  if (root.type === 'overlay' && root.inMemory !== true)
    for (const each of [root.upper, root.work]) mkdirSync(each, { mode: 0o755 });
  return root;
}
