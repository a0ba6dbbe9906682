import type { ErrorTable } from './error-definition.js';

/** Errors of references, registries and their transport. */
export interface RegistryErrors {
  INVALID_REFERENCE: { readonly reference: string; readonly reason: string };
  IMAGE_NOT_FOUND: { readonly reference: string; readonly registry: string };
  REGISTRY_UNREACHABLE: { readonly registry: string; readonly reason: string };
  REGISTRY_DENIED: { readonly registry: string; readonly status: number; readonly reason: string };
  REGISTRY_FAILED: { readonly registry: string; readonly status: number; readonly reason: string };
  REGISTRY_RATE_LIMITED: {
    readonly registry: string;
    readonly retryAfterMs: number | undefined;
    /** Requests that the registry grants in its window, and how many are left, where it says so. */
    readonly limit: number | undefined;
    readonly remaining: number | undefined;
  };
  REGISTRY_UNSUPPORTED: { readonly registry: string; readonly operation: string; readonly reason: string };
  REGISTRY_PROTOCOL: { readonly registry: string; readonly reason: string };
  CREDENTIALS_FAILED: { readonly registry: string; readonly source: string; readonly reason: string };
}

export const registryErrors: ErrorTable<RegistryErrors> = {
  INVALID_REFERENCE: { kind: 'invalid', message: (d) => `image reference '${d.reference}': ${d.reason}` },
  IMAGE_NOT_FOUND: { kind: 'not-found', message: (d) => `no image ${d.reference} at ${d.registry}` },
  REGISTRY_UNREACHABLE: { kind: 'unavailable', message: (d) => `registry ${d.registry}: ${d.reason}` },
  REGISTRY_DENIED: {
    kind: 'denied',
    message: (d) => `registry ${d.registry} refused access (${d.status}): ${d.reason}`,
  },
  REGISTRY_FAILED: { kind: 'unavailable', message: (d) => `registry ${d.registry} answered ${d.status}: ${d.reason}` },
  REGISTRY_RATE_LIMITED: {
    kind: 'unavailable',
    message: (d) =>
      `registry ${d.registry} limits the rate of requests${d.retryAfterMs === undefined ? '' : `, retry after ${d.retryAfterMs} ms`}`,
  },
  REGISTRY_UNSUPPORTED: {
    kind: 'unsupported',
    message: (d) => `registry ${d.registry} does not support ${d.operation}: ${d.reason}`,
  },
  REGISTRY_PROTOCOL: { kind: 'corrupt', message: (d) => `registry ${d.registry} broke the protocol: ${d.reason}` },
  CREDENTIALS_FAILED: {
    kind: 'unavailable',
    message: (d) => `credentials for ${d.registry} from ${d.source}: ${d.reason}`,
  },
};
