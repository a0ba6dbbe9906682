/** One mounted hierarchy of the host. */
export interface CgroupHierarchy {
  readonly version: 1 | 2;
  /** Where it is mounted. */
  readonly directory: string;
  /** v1: what it was mounted with, named ones as `name=systemd`. v2: cgroup.controllers. */
  readonly controllers: readonly string[];
}

/** A container's place in the hierarchies that it is put into. */
export interface CgroupView {
  readonly version: 'v1' | 'v2' | 'none';
  /** Relative to each hierarchy's root, with a leading slash. */
  readonly path: string;
  readonly hierarchies: readonly CgroupHierarchy[];
  /** The container sees its own cgroup as root. */
  readonly newNamespace: boolean;
}
