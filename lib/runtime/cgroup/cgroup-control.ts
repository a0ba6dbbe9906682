/** Direct access to the files of a container's cgroups, from outside of a launch; replaceable in tests. */
export interface CgroupControl {
  /** The text of a small file, undefined when it does not exist. */
  readText(path: string): Promise<string | undefined>;
  /** The same at once: for files of one line that the kernel answers without work. */
  peek(path: string): string | undefined;
  /** Writes to an existing file with one write(2). Rejects with the system's error. */
  writeText(path: string, data: string): Promise<void>;
  /** Makes a group, and those above it; one that is there is fine. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Names of the groups directly in one; none when it does not exist. */
  listGroups(directory: string): Promise<readonly string[]>;
}
