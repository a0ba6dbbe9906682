/** What a registry may be shown. */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly token: string };

/** The port to stored credentials. */
export interface CredentialSource {
  /** The credential for a registry host (`docker.io`, `localhost:5000`), or undefined for anonymous access. */
  find(registry: string): Promise<Credential | undefined>;
}
