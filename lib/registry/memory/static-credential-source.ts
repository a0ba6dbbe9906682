import type { Credential, CredentialStore } from '../credential-source.js';

/** Credentials that the caller already has, by registry host (`docker.io`, `localhost:5000`). */
export class StaticCredentialSource implements CredentialStore {
  readonly #credentials: Map<string, Credential>;

  constructor(credentials: Readonly<Record<string, Credential>>) {
    this.#credentials = new Map(Object.entries(credentials));
  }

  find(registry: string): Promise<Credential | undefined> {
    return Promise.resolve(this.#credentials.get(registry));
  }

  store(registry: string, credential: Credential): Promise<string> {
    this.#credentials.set(registry, credential);
    return Promise.resolve('memory');
  }

  erase(registry: string): Promise<boolean> {
    return Promise.resolve(this.#credentials.delete(registry));
  }
}
