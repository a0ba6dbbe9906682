/** What a registry may be shown. */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly token: string };

/** The port to stored credentials. */
export interface CredentialSource {
  /** The credential for a registry host (`docker.io`, `localhost:5000`), or undefined for anonymous access. */
  find(registry: string): Promise<Credential | undefined>;
}

/** A source that credentials can be added to, and removed from. */
export interface CredentialStore extends CredentialSource {
  /**
   * Puts a credential in the place of the registry's former one. Gives the place, for people: a file's path, a helper's
   * name.
   *
   * @throws EngineError `CREDENTIALS_FAILED`.
   */
  store(registry: string, credential: Credential): Promise<string>;
  /** Removes the registry's credential; false when there was none. @throws EngineError `CREDENTIALS_FAILED`. */
  erase(registry: string): Promise<boolean>;
}

/** True for a source that can store. */
export function isCredentialStore(source: CredentialSource): source is CredentialStore {
  return 'store' in source && 'erase' in source;
}
