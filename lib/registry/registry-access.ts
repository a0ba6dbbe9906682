/** What a client may do with a repository. */
export type RegistryAction = 'pull' | 'push' | 'delete';

/** Access that is wanted. */
export interface RegistryAccess {
  /** Undefined for who has not logged in. */
  readonly user: string | undefined;
  /** Undefined for the list of repositories. */
  readonly repository: string | undefined;
  readonly action: RegistryAction;
}

/** Whom a registry server lets in. */
export interface RegistryAuth {
  /**
   * `'basic'`: the password comes with each request. `'token'`: it is shown once, at `/token`, for a token of five minutes
   * and of one scope, as at public registries.
   */
  readonly kind: 'basic' | 'token';
  /** Passwords by user, or who decides about them. */
  readonly users:
    | Readonly<Record<string, string>>
    | ((username: string, password: string) => boolean | Promise<boolean>);
  /** What clients may do that have not logged in. Default `'nothing'`. */
  readonly anonymous?: 'nothing' | 'pull';
  /** Who may do what, among those who are let in. Default: everybody everything. */
  readonly authorize?: (access: RegistryAccess) => boolean | Promise<boolean>;
}
