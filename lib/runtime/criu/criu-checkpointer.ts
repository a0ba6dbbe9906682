import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Abortable } from '../../core/abortable.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { isExecutable } from '../../util/is-executable.js';
import type { Checkpointer, DumpRequest, OutsideResources, RestoreCommand, RestoreRequest } from '../checkpointer.js';
import { DumpFailure } from '../checkpointer.js';
import { firstComplaint } from './first-complaint.js';
import { runCriu } from './run-criu.js';

/** Where Debian and others have it; not always in PATH. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Its helpers (`tar`, `iptables`) are looked for there. */
const environment = [`PATH=${systemDirectories.join(':')}`];

/** No file of the host or of a user adds options: they could have a hook executed. */
const alone = '--no-default-config';

/** The descriptor by which `restore` gets the container's network. */
const NETWORK_FD = 7;
const NETWORK_KEY = 'network';

/**
 * Checkpoints by the command line of CRIU.
 *
 * @see criu(8)
 */
export class CriuCheckpointer implements Checkpointer {
  /** @param program a path, or a name that is looked for where systems have it. Default: `criu`. */
  constructor(private readonly program = 'criu') {}

  async check(options: Abortable = {}): Promise<void> {
    const program = this.#path();
    const { code, output } = await runCriu(program, ['check', alone], environment, options.signal);
    if (code === 0) return;
    const reason = firstComplaint(output) ?? `criu check ended with ${code}`;
    const hint = 'criu has to fit the kernel, and needs root: try a newer one, and the command "criu check"';
    throw new EngineError('CRIU_UNUSABLE', { program, reason, hint });
  }

  async dump(request: DumpRequest): Promise<void> {
    const logFile = join(request.images, 'dump.log');
    const options = [
      ...[
        'dump',
        alone,
        '--tree',
        String(request.pid),
        '--images-dir',
        request.images,
        '--log-file',
        'dump.log',
        '-v2',
      ],
      ...(request.leaveRunning ? ['--leave-running'] : []),
      ...outsideOf(request.outside),
      ...commonOptions(request),
    ];
    const { code, output } = await runCriu(this.#path(), options, environment, request.signal);
    if (code === 0) return;
    request.signal?.throwIfAborted();
    throw new DumpFailure(this.failureOf(logFile) ?? firstComplaint(output) ?? `criu ended with ${code}`);
  }

  restoreCommand(request: RestoreRequest): RestoreCommand {
    const { outside, directory } = request;
    const pidFile = join(directory, 'pid');
    const logFile = join(directory, 'restore.log');
    const command = [
      ...[
        this.#path(),
        'restore',
        alone,
        '--restore-detached',
        '--restore-sibling',
        '--pidfile',
        pidFile,
        '--root',
        request.root,
      ],
      ...['--images-dir', request.images, '--work-dir', directory, '--log-file', 'restore.log', '-v2'],
      ...outside.mounts.flatMap((target) => ['--external', `mnt[${target}]:${request.sources.get(target) ?? ''}`]),
      ...outside.streams.flatMap(({ fd, name }) => ['--inherit-fd', `fd[${fd}]:${name}`]),
      ...commonOptions(request),
    ];
    if (outside.network === undefined) return { arguments: command, environment, pidFile, logFile };
    // It is executed in the container's network already, and wants a descriptor of that.
    const script = `exec "$@" ${NETWORK_FD}</proc/self/ns/net`;
    const network = ['--inherit-fd', `fd[${NETWORK_FD}]:${NETWORK_KEY}`];
    return { arguments: ['/bin/sh', '-c', script, 'sh', ...command, ...network], environment, pidFile, logFile };
  }

  failureOf(logFile: string): string | undefined {
    return existsSync(logFile) ? firstComplaint(readFileSync(logFile, 'utf8')) : undefined;
  }

  /** Looked for at each use: it may be installed while an engine is open. */
  #path(): string {
    const searched = this.program.includes('/') ? [''] : systemDirectories;
    const found = searched.map((directory) => join(directory, this.program)).find(isExecutable);
    if (found !== undefined) return found;
    const hint = 'install criu (the Debian package of that name), or give its path';
    throw new EngineError('CRIU_MISSING', { program: this.program, searched, hint });
  }
}

/** Groups are the engine's business: who restores is in the container's already. */
function commonOptions(request: Pick<DumpRequest, 'tcpEstablished' | 'fileLocks'>): string[] {
  return [
    '--manage-cgroups=ignore',
    ...networkLock(),
    ...(request.tcpEstablished ? ['--tcp-established'] : []),
    ...(request.fileLocks ? ['--file-locks'] : []),
  ];
}

/** Connections are stopped meanwhile, by iptables unless told otherwise: by the kernel's successor where that is missing. */
function networkLock(): string[] {
  const hasIptables = systemDirectories.some((directory) => isExecutable(join(directory, 'iptables-restore')));
  return hasIptables ? [] : ['--network-lock', 'nftables'];
}

function outsideOf({ mounts, network, streams }: OutsideResources): string[] {
  return [
    ...mounts.map((target) => `mnt[${target}]:${target}`),
    ...(network === undefined ? [] : [`net[${network}]:${NETWORK_KEY}`]),
    ...streams.filter(({ name }) => name.startsWith('file[')).map(({ name }) => name),
  ].flatMap((each) => ['--external', each]);
}
