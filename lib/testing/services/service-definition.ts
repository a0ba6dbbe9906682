import type { ContainerOptions } from '../../container/container-options.js';
import { invalidOption } from '../../container/invalid-option.js';
import type { Readiness } from '../readiness/readiness.js';
import type { StartedService } from './started-service.js';

/** A container of {@link startServices}. Its lifetime is `owner` unless it says something else. */
export interface ServiceOptions extends ContainerOptions {
  /** When others that depend on it may start. Default: when its program runs. */
  readonly ready?: Readiness;
  /** Default 60 000. */
  readonly readyTimeoutMs?: number;
  /** Names of services that must be ready before. Default: none. */
  readonly dependsOn?: readonly string[];
}

/** Services that are ready, by name. */
export type StartedServices<Name extends string = string> = { readonly [Key in Name]: StartedService };

/** A service whose options are made of those that it depends on; see {@link needs}. */
export interface DependentService {
  /** Names of services that must be ready before. */
  readonly dependsOn: readonly string[];
  /** Is called with these services. */
  readonly options: (services: StartedServices) => Omit<ServiceOptions, 'dependsOn'>;
}

/** A service: options, or {@link needs} with a function that makes them. */
export type ServiceDefinition = ServiceOptions | DependentService;

/**
 * A service that needs others, and whose options are made when these are ready: their addresses can go into its environment.
 *
 * @example
 * needs(['db'], ({ db }) => ({ image: 'app', env: { DATABASE: db.endpoint(5432) } }))
 */
export function needs<const Name extends string>(
  names: readonly Name[],
  options: (services: StartedServices<Name>) => Omit<ServiceOptions, 'dependsOn'>,
): DependentService {
  if (!Array.isArray(names)) throw invalidOption('names', 'a list of names of services', names);
  if (typeof options !== 'function') throw invalidOption('options', 'a function that makes options', options);
  return { dependsOn: names, options: options as DependentService['options'] };
}
