/** One value for one file of a container's group. */
export interface CgroupWrite {
  /** The v1 controller whose hierarchy has the file; of no meaning in v2. */
  readonly controller: string;
  readonly file: string;
  readonly data: string;
  /** What asked for it, for error messages. */
  readonly option: string;
}

/** What a group's files have now, for orders that depend on it. Undefined: no such file. */
export type ReadCgroupFile = (controller: string, file: string) => string | undefined;
