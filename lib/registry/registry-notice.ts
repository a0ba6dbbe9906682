/** What a registry tells beside its answers; nothing is decided by it. */
export type RegistryNotice =
  | {
      /** The words of a `Warning` header. @see OCI distribution-spec, "Warnings" */
      readonly type: 'warning';
      readonly registry: string;
      readonly text: string;
    }
  | {
      /** How many requests are left in the registry's window of `windowSeconds`. @see Docker Hub, "Pull usage and limits" */
      readonly type: 'rate-limit';
      readonly registry: string;
      readonly limit: number | undefined;
      readonly remaining: number | undefined;
      readonly windowSeconds: number | undefined;
    };

/** Is called with each notice; the same one comes once for each operation. */
export type OnRegistryNotice = (notice: RegistryNotice) => void;
