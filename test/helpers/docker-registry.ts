import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Debian's `docker-registry`, running. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: the registry part of references. */
  readonly host: string;
  /** The user that a protected registry knows. */
  readonly username: string;
  readonly password: string;
  stop(): Promise<void>;
}

const username = 'tester';
const password = 'correct horse';
/** bcrypt of {@link password} */
const htpasswd = '$2y$05$vE7ey.nyLGNT4o9x9N58WeqViN.P5wTI87VbRE/x/wCQ68w9azOWO';

export interface DockerRegistryOptions {
  /** Lets in only {@link DockerRegistry.username}. */
  readonly login?: boolean;
  /** Files with a certificate and its key: HTTPS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** Starts the registry on a free port of the loopback interface with its storage in a temporary directory. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'tsc-registry-'));
  const authentication = options.login === true ? authSection(directory) : [];
  await writeFile(join(directory, 'htpasswd'), `${username}:${htpasswd}\n`);
  await writeFile(
    join(directory, 'config.yml'),
    [...baseSection(directory, options), ...authentication, ''].join('\n'),
  );
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], OTEL_TRACES_EXPORTER: 'none' },
  });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    process.removeListener('exit', kill);
    kill();
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const host = await listeningAddress(child.stderr, ended);
    return { host, username, password, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function baseSection(directory: string, { tls }: DockerRegistryOptions): string[] {
  const encryption = tls === undefined ? '' : `, tls: { certificate: ${tls.certificate}, key: ${tls.key} }`;
  return [
    'version: 0.1',
    'log: { level: info, formatter: text, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: ${join(directory, 'storage')} }, delete: { enabled: true } }`,
    `http: { addr: "127.0.0.1:0"${encryption} }`,
  ];
}

function authSection(directory: string): string[] {
  return [`auth: { htpasswd: { realm: test, path: ${join(directory, 'htpasswd')} } }`];
}

/** The registry takes port 0 and writes to its log which one it got. */
async function listeningAddress(log: NodeJS.ReadableStream, ended: Promise<void>): Promise<string> {
  const lines: string[] = [];
  const reader = createInterface({ input: log });
  const found = new Promise<string>((resolve) => {
    reader.on('line', (line) => {
      lines.push(line);
      const match = /listening on (127\.0\.0\.1:\d+)/.exec(line);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
  });
  const failed = ended.then(() => {
    throw new Error(`docker-registry ended:\n${lines.join('\n')}`);
  });
  return Promise.race([found, failed]);
}
