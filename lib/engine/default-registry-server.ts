import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ContentStore } from '../content/content-store.js';
import { FsContentStore } from '../content/fs/fs-content-store.js';
import type { Digest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { ImageRegistryStorage } from '../image/image-registry-storage.js';
import { KoffiKernel } from '../kernel/koffi/koffi-kernel.js';
import { DirectoryStorage } from '../registry/directory-storage/directory-storage.js';
import type { RegistryServer } from '../registry/registry-server.js';
import type { RegistryStorage } from '../registry/registry-storage.js';
import { startRegistryServer } from '../registry/server/start-registry-server.js';
import { onFile, toFileError } from '../util/file-error.js';
import { acquireFileLock, type FileLocker } from '../util/file-lock.js';
import { SharedLock } from '../util/shared-lock.js';
import { Engine } from './engine.js';
import type { ServeRegistryOptions } from './serve-registry-options.js';

/** Options with certificates that have been read. */
export type OpenRegistryOptions = Omit<ServeRegistryOptions, 'tls'> & {
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string | undefined } | undefined;
};

const hourMs = 60 * 60 * 1000;

/** Puts a registry server together. */
export async function openRegistryServer(options: OpenRegistryOptions): Promise<RegistryServer> {
  const { host = '127.0.0.1', port = 0 } = options;
  const { storage, release } = await openStorage(options);
  try {
    const server = await startRegistryServer({
      storage,
      release,
      host,
      port,
      auth: options.auth,
      readonly: options.readonly ?? false,
      tls: options.tls,
      unref: options.unref ?? false,
      uploadExpiryMs: options.uploadExpiryMs ?? hourMs,
      onError: options.onError ?? (() => undefined),
      now: Date.now,
    });
    return options.engine === undefined ? server : closeWith(options.engine, server);
  } catch (error) {
    await release();
    throw toFileError(error, `${host}:${port}`);
  }
}

interface Opened {
  readonly storage: RegistryStorage;
  readonly release: () => Promise<void>;
}

async function openStorage(options: OpenRegistryOptions): Promise<Opened> {
  const { engine, directory } = options;
  if (engine !== undefined) {
    const { images, registryLinks } = Engine.servicesOf(engine);
    return { storage: new ImageRegistryStorage(images, registryLinks), release: () => Promise.resolve() };
  }
  return openDirectory(resolve(directory ?? ''));
}

/** The engine ends what is served of it. */
function closeWith(engine: Engine, server: RegistryServer): RegistryServer {
  const detach = Engine.attach(engine, () => server.close());
  const close = async (): Promise<void> => {
    detach();
    await server.close();
  };
  return { ...server, close, [Symbol.asyncDispose]: close };
}

/** `DIRECTORY/content` holds the bytes, `DIRECTORY/repositories` says where they belong. */
async function openDirectory(directory: string): Promise<Opened> {
  await onFile(directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
  const kernel = new KoffiKernel();
  const lockPath = join(directory, 'lock');
  const lock = new SharedLock(kernel, lockPath);
  const content = new FsContentStore(join(directory, 'content'), kernel);
  await content.sweep();
  const storage = new DirectoryStorage({
    directory: join(directory, 'repositories'),
    content,
    hold: (work) => lock.hold(undefined, work),
    removeUnused: (used) => removeUnused(kernel, lockPath, content, used),
    now: Date.now,
  });
  const release = async (): Promise<void> => {
    lock.close();
    kernel.dispose();
  };
  return { storage, release };
}

async function removeUnused(
  locker: FileLocker,
  lockPath: string,
  content: ContentStore,
  used: () => Promise<ReadonlySet<Digest>>,
): Promise<void> {
  try {
    await using _lock = await acquireFileLock(locker, lockPath, { timeoutMs: 0 });
    const kept = await used();
    for await (const { digest } of content.list()) if (!kept.has(digest)) await content.remove(digest);
  } catch (error) {
    if (!EngineError.is(error, 'LOCK_TIMEOUT')) throw error; // somebody is adding content: the next time will do
  }
}
