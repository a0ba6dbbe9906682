import { dirname } from 'node:path';
import type { PlanOperation } from '../../launch-plan.js';
import type { CgroupManager } from '../cgroup.js';
import type { CgroupControl } from '../cgroup-control.js';
import type { CgroupHost, Controller } from '../cgroup-host.js';
import { createCgroupV2Manager } from '../v2/cgroup-v2-manager.js';

/** Not of this machine: whoever looks for it on disk finds nothing. */
const root = '/memory-cgroup';

/** What a new group has in its files. */
const fresh: Readonly<Record<string, string>> = {
  'cgroup.events': 'populated 1\nfrozen 0\n',
  'cgroup.freeze': '0\n',
  'cpu.stat': 'usage_usec 0\nuser_usec 0\nsystem_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n',
  'io.stat': '',
  'memory.current': '0\n',
  'memory.events': 'low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n',
  'memory.max': 'max\n',
  'memory.peak': '0\n',
  'memory.stat': 'anon 0\nfile 0\ninactive_file 0\n',
  'memory.swap.current': '0\n',
  'pids.current': '1\n',
  'pids.max': 'max\n',
};

/** How the fake behaves. */
export interface MemoryCgroupsOptions {
  /** Default: memory, pids, cpu, cpuset, io. */
  readonly controllers?: readonly Controller[];
  /** Pids of the processes in every group. Default: this process, as which launched functions run. */
  readonly processes?: () => readonly number[];
  /** Why the kernel refuses a write; undefined when it does not. Default: it takes all. */
  readonly refuse?: (path: string, data: string) => 'EBUSY' | 'EINVAL' | 'ERANGE' | undefined;
}

/**
 * The control groups of a host that does not exist: limits that are set can be read, freezing works, and counters show what
 * a test has put into {@link files}. On the real policy for cgroup v2.
 */
export class MemoryCgroups {
  /** @internal */
  readonly host: Extract<CgroupHost, { readonly version: 'v2' }>;
  /** @internal */
  readonly manager: CgroupManager;
  /** Contents by path, of files that are not as in a new group. */
  readonly files = new Map<string, string>();
  /** All writes, in their order. */
  readonly writes: { readonly path: string; readonly data: string }[] = [];
  readonly #groups = new Set<string>();
  /** @internal */
  readonly control: CgroupControl;

  constructor(options: MemoryCgroupsOptions = {}) {
    const controllers = options.controllers ?? ['memory', 'pids', 'cpu', 'cpuset', 'io'];
    const shared = { root, controllers, enabled: controllers, blockWeightFiles: ['io.weight'] } as const;
    this.host = { version: 'v2', ...shared, swap: true, deviceFilter: true };
    this.manager = createCgroupV2Manager(this.host, '/');
    const processes = options.processes ?? (() => [process.pid]);
    const read = (path: string): string | undefined => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      if (name === 'cgroup.procs')
        return processes()
          .map((pid) => `${pid}\n`)
          .join('');
      return this.files.get(path) ?? fresh[name];
    };
    this.control = {
      readText: async (path) => read(path),
      peek: read,
      writeText: async (path, data) => {
        const code = options.refuse?.(path, data);
        if (code !== undefined) throw Object.assign(new Error(`${code}: write`), { code, syscall: 'write', path });
        this.#write(path, data);
      },
      makeDirectory: async (path) => void this.#groups.add(path),
      listGroups: async (directory) =>
        [...this.#groups].filter((path) => dirname(path) === directory).map((path) => path.slice(directory.length + 1)),
    };
  }

  /** Does what a launcher would do for operations of a plan that concern groups; passes over all others. */
  execute(operation: PlanOperation): void {
    if (operation.op === 'write-file' && operation.path.startsWith(`${root}/`))
      this.#write(operation.path, operation.data);
    if (operation.op === 'make-directory') this.#groups.add(operation.path);
    if (operation.op === 'remove-directory') this.#remove(operation.path);
  }

  #write(path: string, data: string): void {
    this.writes.push({ path, data });
    this.files.set(path, `${data}\n`);
    if (path.endsWith('/cgroup.freeze')) {
      this.files.set(`${dirname(path)}/cgroup.events`, `populated 1\nfrozen ${data}\n`);
    }
  }

  #remove(directory: string): void {
    this.#groups.delete(directory);
    for (const path of this.files.keys()) if (dirname(path) === directory) this.files.delete(path);
  }
}
