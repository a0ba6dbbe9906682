import type { EnvironmentOption } from '../core/environment.js';
import type { HealthcheckOption } from './health/healthcheck-option.js';
import type { RootfsOption } from './host-rootfs.js';
import type { IsolationOptions, PrivilegeOptions } from './isolation-options.js';
import type { RestartOption } from './resolve-restart.js';
import type { StdioOptions } from './stdio-options.js';

/** A directory or file of the host inside the container. */
export interface BindMount {
  readonly type: 'bind';
  /** Absolute path on the host; it must exist. */
  readonly source: string;
  /** Absolute path in the container; made when missing. */
  readonly target: string;
  /** Default false. */
  readonly readonly?: boolean;
}

/** An empty file system in memory. */
export interface TmpfsMount {
  readonly type: 'tmpfs';
  readonly target: string;
  /** Bytes or `'64m'`. Default: half of the host's memory, as the kernel has it. */
  readonly size?: number | string;
  /** Permission bits. Default 0o1777. */
  readonly mode?: number;
}

/** What can be mounted in a container. */
export type MountOption = BindMount | TmpfsMount;

/** Resource limits with Docker's names; sizes are bytes or texts like `'200m'`. */
export interface ResourceOptions {
  /** At least 6 MiB. Default: no limit. */
  readonly memory?: number | string;
  /** Memory and swap together; -1 for unlimited swap. Default: twice `memory`. */
  readonly memorySwap?: number | string;
  /** What the container may keep when memory runs short. */
  readonly memoryReservation?: number | string;
  /** Processors, e.g. 1.5. */
  readonly cpus?: number;
  /** Weight against other containers, 2 to 262144. Default 1024. */
  readonly cpuShares?: number;
  /** Microseconds of processor time in each period; -1 for no limit. */
  readonly cpuQuota?: number;
  /** Microseconds, 1000 to 1000000. Default 100000. */
  readonly cpuPeriod?: number;
  /** Processors to run on, like `'0-2,7'`. */
  readonly cpusetCpus?: string;
  /** Memory nodes to use, like `'0,1'`. */
  readonly cpusetMems?: string;
  /** Processes and threads; -1 for no limit. */
  readonly pidsLimit?: number;
  /** How readily its memory is swapped, 0 to 100; -1 lifts it. On cgroup v1 only. Default: that of the group above. */
  readonly memorySwappiness?: number;
  /** Its processes wait for memory instead of being killed. On cgroup v1 only, and with `memory`. Default false. */
  readonly oomKillDisable?: boolean;
  /** Weight of block I/O against other containers, 10 to 1000. Needs a scheduler with weights, like bfq. */
  readonly blkioWeight?: number;
  /** The same for single devices. */
  readonly blkioWeightDevice?: readonly { readonly path: string; readonly weight: number }[];
  /** Bytes a second, or texts like `'10m'`, by device. An empty array lifts all. */
  readonly blkioDeviceReadBps?: readonly DeviceRate[];
  readonly blkioDeviceWriteBps?: readonly DeviceRate[];
  /** Operations a second, by device. */
  readonly blkioDeviceReadIops?: readonly DeviceRate[];
  readonly blkioDeviceWriteIops?: readonly DeviceRate[];
  /** Memory in huge pages of one size (`'2MB'`), in bytes or a text; 0 for none at all. An empty array lifts all. */
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number | string }[];
}

/** A bound on a block device of the host. */
export interface DeviceRate {
  /** Like `/dev/sda`. */
  readonly path: string;
  /** Bytes a second (a number, or `'10m'`), or operations a second (a number). */
  readonly rate: number | string;
}

/** Limits of one kind; a number means both. -1 is unlimited. @see getrlimit(2) */
export type Ulimit = number | { readonly soft: number; readonly hard: number };

/** Names as `ulimit` and Docker have them, e.g. `nofile`. */
export type UlimitName = 'core' | 'cpu' | 'data' | 'fsize' | 'memlock' | 'nofile' | 'nproc' | 'rss' | 'stack' | 'as';

/** What a container is made of, except its image and its command. */
export interface ContainerSettings extends ResourceOptions, PrivilegeOptions, IsolationOptions, StdioOptions {
  /** Letters, digits, `_`, `.`, `-`, starting with a letter or digit, at most 63. Default: the first 12 digits of the id. */
  readonly name?: string;
  /** Replaces the image's entrypoint; `''` or `[]` removes it. */
  readonly entrypoint?: string | readonly string[];
  /** Variables by name (`undefined` unsets), or `KEY=value` entries. They win over the image's. */
  readonly env?: EnvironmentOption;
  /** Absolute path in the container. Default: the image's, else `/`. */
  readonly workingDir?: string;
  /** Default: the first 12 digits of the id. */
  readonly hostname?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Default `'bridge'`: an address of its own behind the host's. */
  readonly network?: 'bridge' | 'host' | 'none';
  /** Published ports as Docker writes them: `'8080:80'`, `'127.0.0.1::443/tcp'`, `'53:53/udp'`. */
  readonly ports?: readonly string[];
  /** Lines of /etc/hosts: `'name:address'`; the address `host-gateway` means the host. */
  readonly extraHosts?: readonly string[];
  readonly mounts?: readonly MountOption[];
  /** The root file system cannot be written. Default false. */
  readonly readonly?: boolean;
  /** Size of /dev/shm. Default 64 MiB. */
  readonly shmSize?: number | string;
  readonly ulimits?: Readonly<Partial<Record<UlimitName, Ulimit>>>;
  /** -1000 to 1000: higher is killed earlier when memory runs out. Default: inherited. */
  readonly oomScoreAdj?: number;
  /** Sent by `stop()`. Default: the image's, else SIGTERM. */
  readonly stopSignal?: string | number;
  /** How long `stop()` waits before SIGKILL. Default 10000. */
  readonly stopTimeoutMs?: number;
  /**
   * `'owner'`: the container ends with this process, however that ends, and is removed. `'detached'`: it goes on, and a
   * later engine on the same root finds it. Default `'owner'`.
   */
  readonly lifetime?: 'owner' | 'detached';
  /**
   * Whether it is started again when it has ended, by its supervisor and so also when no engine is open: after 0.1 s, then
   * twice as long each time up to a minute, and 0.1 s again after a run of ten seconds. What `stop`, or `kill` with SIGKILL
   * or its `stopSignal`, has ended is not. `'on-failure'`: only after an exit code other than 0, and at most `maxRetries`
   * times (`'on-failure:3'`; default 0: without end). A detached container of any of these is started by the next engine that
   * opens on its root after a reboot, `'unless-stopped'` only if it was not stopped before. Default `'no'`.
   *
   * @see https://docs.docker.com/engine/containers/start-containers-automatically/
   */
  readonly restart?: RestartOption;
  /**
   * A command that is run inside again and again, to find out whether the container is well: see `inspect().health` and the
   * event `container.health`. By the process that has started the container; of a detached one by any process with an engine
   * on its root, and while there is none its health stays as it was. A paused container is not probed. Default: the image's
   * HEALTHCHECK, else none.
   */
  readonly healthcheck?: HealthcheckOption;
  /** `'missing'` fetches the image when it is not here, `'always'` asks the registry first. Default `'missing'`. */
  readonly pull?: 'missing' | 'always' | 'never';
}

/** Everything that makes a container. */
export interface ContainerOptions extends ContainerSettings {
  /** A reference (`nginx`, `localhost:5000/app:1`), or an image id or the beginning of one. This or `rootfs`. */
  readonly image?: string;
  /** Files of the host instead of an image. */
  readonly rootfs?: RootfsOption;
  /** Replaces the image's command. */
  readonly command?: readonly string[];
}

/** How a further process of a running container differs from the first. */
export interface ExecOptions {
  /** Added to the container's environment. */
  readonly env?: EnvironmentOption;
  /** Default: the container's. */
  readonly workingDir?: string;
  /** Default: the container's. */
  readonly user?: string;
  /** All capabilities and no filter of system calls; its devices stay those of the container. Default false. */
  readonly privileged?: boolean;
}

/** The bounds of buffered output. */
export interface BufferedOptions {
  /** Written to standard input, which is then closed. Default: empty. */
  readonly input?: string | Uint8Array;
  /** For each of stdout and stderr. More ends the process with `OUTPUT_TOO_LARGE`. Default 16 MiB. */
  readonly maxOutputBytes?: number;
  /** Ends the process with SIGKILL and rejects with `RUN_TIMEOUT`. Default: none. */
  readonly timeoutMs?: number;
}
