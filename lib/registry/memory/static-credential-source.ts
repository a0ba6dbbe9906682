import type { Credential, CredentialSource } from '../credential-source.js';

/** Credentials that the caller already has, by registry host (`docker.io`, `localhost:5000`). */
export class StaticCredentialSource implements CredentialSource {
  readonly #credentials: ReadonlyMap<string, Credential>;

  constructor(credentials: Readonly<Record<string, Credential>>) {
    this.#credentials = new Map(Object.entries(credentials));
  }

  find(registry: string): Promise<Credential | undefined> {
    return Promise.resolve(this.#credentials.get(registry));
  }
}
