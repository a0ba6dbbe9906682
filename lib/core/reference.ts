import { isIPv6 } from 'node:net';
import { type Digest, isDigest } from './digest.js';
import { EngineError } from './errors/engine-error.js';

/**
 * A parsed image reference, normalised as Docker does it: `debian` is `docker.io/library/debian:latest`.
 *
 * @see distribution/reference grammar; OCI distribution-spec, "Pulling manifests"
 */
export interface Reference {
  /** Registry host, with port if any, in lower case: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** Repository path: `library/debian`. */
  readonly repository: string;
  /** Present unless the reference has only a digest. */
  readonly tag?: string;
  readonly digest?: Digest;
}

const dockerHub = 'docker.io';
const dockerHubAliases: ReadonlySet<string> = new Set([dockerHub, 'index.docker.io', 'registry-1.docker.io']);

/** The grammar's bounds: 255 for a repository, 128 for a tag; the rest is a host name and a digest. */
const maxRepositoryLength = 255;
const maxHostLength = 253;
const maxReferenceLength = 1024;

const hostPattern = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])$/;
const repositoryPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const identifierPattern = /^[0-9a-f]{64}$/;

/**
 * Parses what users write: `debian`, `debian:12`, `ghcr.io/owner/app@sha256:…`, `localhost:5000/app`.
 *
 * Without tag and digest the tag is `latest`. The first part is a registry when it has a dot or a port or is
 * `localhost`; an upper-case part is refused everywhere but in tags and such a registry.
 *
 * @throws EngineError `INVALID_REFERENCE`.
 */
export function parseReference(text: string): Reference {
  const refuse: Refuse = (reason) => {
    throw new EngineError('INVALID_REFERENCE', { reference: text.slice(0, 300), reason });
  };
  if (text === '') refuse('it is empty');
  if (text.length > maxReferenceLength) refuse(`it is longer than ${maxReferenceLength} characters`);
  if (identifierPattern.test(text)) refuse('64 hex digits are an image id, not a name');
  if (/^[a-z]+:\/\//i.test(text)) refuse('it must not begin with a URL scheme');

  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : checkDigest(text.slice(at + 1), refuse);
  const { name, tag } = splitTag(at === -1 ? text : text.slice(0, at), refuse);
  const { registry, repository } = splitRegistry(name, refuse);
  checkRepository(repository, refuse);

  const effectiveTag = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    registry,
    repository,
    ...(effectiveTag !== undefined && { tag: effectiveTag }),
    ...(digest !== undefined && { digest }),
  };
}

/** The complete form: `docker.io/library/debian:12@sha256:…`. {@link parseReference} gives the same value back. */
export function formatReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${suffixOf(reference)}`;
}

/** The form that people write: `debian:12` for `docker.io/library/debian:12`. It parses to the same value. */
export function formatFamiliarReference(reference: Reference): string {
  if (reference.registry !== dockerHub) return formatReference(reference);
  const { repository } = reference;
  const [first = '', second, ...more] = repository.split('/');
  const suffix = suffixOf(reference);
  if (first === 'library' && second !== undefined && more.length === 0) {
    return identifierPattern.test(`${second}${suffix}`) ? formatReference(reference) : `${second}${suffix}`;
  }
  // A first part that looks like a host would be read as one.
  return isRegistryPart(first) || second === undefined ? formatReference(reference) : `${repository}${suffix}`;
}

/** True for the path of a repository, without its registry. @see OCI distribution-spec, "Pulling manifests" */
export function isRepositoryName(text: string): boolean {
  return text.length <= maxRepositoryLength && repositoryPattern.test(text);
}

/** True for a tag. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/**
 * The registry that users write: `docker.io` (also by its other names), `localhost:5000`, with or without `https://`.
 *
 * @throws EngineError `INVALID_OPTION` naming `option`.
 */
export function parseRegistry(text: string, option = 'registry'): string {
  const registry = text
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/(?:v[12]\/?)?$/, '');
  const refuse: Refuse = () => {
    throw new EngineError('INVALID_OPTION', { option, expected: 'host[:port]', got: text.slice(0, 200) });
  };
  if (registry === '') refuse('');
  checkRegistry(registry, refuse);
  return dockerHubAliases.has(registry) ? dockerHub : registry;
}

/** Splits the registry off a word that may have one before its first slash: `quay.io/foo`. */
export function splitRegistryPart(text: string): { readonly registry: string | undefined; readonly rest: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  if (slash === -1 || !isRegistryPart(first)) return { registry: undefined, rest: text };
  return { registry: parseRegistry(first), rest: text.slice(slash + 1) };
}

type Refuse = (reason: string) => never;

function suffixOf({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function checkDigest(text: string, refuse: Refuse): Digest {
  return isDigest(text) ? text : refuse('its digest must be sha256:<64 hex digits> or sha512:<128 hex digits>');
}

function splitTag(text: string, refuse: Refuse): { name: string; tag: string | undefined } {
  const colon = text.lastIndexOf(':');
  if (colon === -1 || colon < text.lastIndexOf('/')) return { name: text, tag: undefined };
  const tag = text.slice(colon + 1);
  if (!tagPattern.test(tag)) refuse('its tag must have 1 to 128 letters, digits, _, . or -, not beginning with . or -');
  return { name: text.slice(0, colon), tag };
}

function splitRegistry(name: string, refuse: Refuse): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  if (slash === -1 || !isRegistryPart(first)) return onDockerHub(name);
  const registry = checkRegistry(first.toLowerCase(), refuse);
  const repository = name.slice(slash + 1);
  return dockerHubAliases.has(registry) ? onDockerHub(repository) : { registry, repository };
}

function onDockerHub(repository: string): { registry: string; repository: string } {
  return { registry: dockerHub, repository: repository.includes('/') ? repository : `library/${repository}` };
}

function isRegistryPart(part: string): boolean {
  return part.includes('.') || part.includes(':') || part.toLowerCase() === 'localhost';
}

function checkRegistry(registry: string, refuse: Refuse): string {
  const match = /^(.*?)(?::(\d{1,5}))?$/.exec(registry);
  const host = match?.[1] ?? '';
  const port = match?.[2];
  const isAddress = host.startsWith('[');
  if (!hostPattern.test(host) || (isAddress && !isIPv6(host.slice(1, -1))) || host.length > maxHostLength) {
    refuse(`'${registry.slice(0, 100)}' is not a registry host`);
  }
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) refuse(`${port} is not a port`);
  return registry;
}

function checkRepository(repository: string, refuse: Refuse): void {
  const path = repository.startsWith('library/') ? repository.slice('library/'.length) : repository;
  if (path === '') refuse('its repository is empty');
  if (repository.length > maxRepositoryLength) {
    refuse(`its repository is longer than ${maxRepositoryLength} characters`);
  }
  if (/[A-Z]/.test(repository)) refuse('its repository must be in lower case');
  if (!repositoryPattern.test(repository)) {
    refuse('its repository must have parts of a-z and 0-9, separated by one of / . _ __ or by dashes');
  }
}
