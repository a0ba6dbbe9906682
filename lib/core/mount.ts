/**
 * What a layer store gives to the launcher: how the root file system of a container comes into being inside the
 * container's own mount namespace. Plain data; nobody mounts anything in the host's mount namespace.
 */
export type RootMount =
  | {
      readonly type: 'overlay';
      /** Absolute directories, topmost first. */
      readonly lower: readonly string[];
      readonly upper: string;
      readonly work: string;
      /** Skips every sync of `upper`: for containers that die with their owner. */
      readonly volatile: boolean;
      /** `upper` and `work` are '': what is written is in memory and gone with the run. Default false. */
      readonly inMemory?: boolean;
    }
  | { readonly type: 'bind'; readonly source: string };
