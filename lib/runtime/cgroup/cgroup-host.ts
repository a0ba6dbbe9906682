import type { BlockWeightFile } from './block-weight.js';

/** The controllers that this package uses. `freezer` and `devices` are no controllers of v2, which has other means. */
export type Controller =
  | 'memory'
  | 'pids'
  | 'devices'
  | 'freezer'
  | 'cpu'
  | 'cpuacct'
  | 'cpuset'
  | 'blkio'
  | 'io'
  | 'hugetlb';

/** What a host offers, found out once by {@link probeCgroups} and passed around as a value. */
export type CgroupHost =
  | {
      /** Also hosts with an empty v2 hierarchy beside (hybrid). */
      readonly version: 'v1';
      /** The directory of each writable hierarchy. Controllers mounted together share one. */
      readonly hierarchies: Readonly<Partial<Record<Controller, string>>>;
      /** The kernel counts swap. */
      readonly swap: boolean;
      /** What the root of the cpuset hierarchy has. */
      readonly cpuset?: { readonly cpus: string; readonly mems: string };
      /** An empty v2 hierarchy is mounted too. */
      readonly hybrid: boolean;
      /** Files that take a weight of block I/O, as far as known. */
      readonly blockWeightFiles: readonly BlockWeightFile[];
    }
  | {
      readonly version: 'v2';
      readonly root: string;
      /** Controllers that can be used below the root. */
      readonly controllers: readonly Controller[];
      /** Those of them that the root already hands to its children. */
      readonly enabled: readonly Controller[];
      readonly swap: boolean;
      /** BPF programs that restrict devices can be loaded: the kernel has bpf(2), and this is no nested user namespace. */
      readonly deviceFilter: boolean;
      /** Files that take a weight of block I/O, as far as known. */
      readonly blockWeightFiles: readonly BlockWeightFile[];
    }
  | { readonly version: 'none'; readonly reason: string };
