/** Direct access to the files of a container's cgroups, from outside of a launch; replaceable in tests. */
export interface CgroupControl {
  /** The text of a small file, undefined when it does not exist. */
  readText(path: string): Promise<string | undefined>;
  /** Writes to an existing file with one write(2). Rejects with the system's error. */
  writeText(path: string, data: string): Promise<void>;
}
