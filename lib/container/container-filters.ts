import { EngineError } from '../core/errors/engine-error.js';
import { hasLabel } from '../core/labels.js';
import { formatReference, parseReference } from '../core/reference.js';
import { checkDate, checkLabels } from '../image/image-filters.js';
import { containerState } from './container-cgroup.js';
import { containerFiles, readState } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import type { ContainerStatus } from './container-state.js';
import { currentHealth } from './health/health-file.js';
import { invalidOption } from './invalid-option.js';

/** One value, or several. */
export type OneOrMore<T> = T | readonly T[];

/** What containers must be, in Docker's words: all of it at once; where several values are given, one of them. */
export interface ContainerFilters {
  /** The beginning of the id. */
  readonly id?: OneOrMore<string>;
  /** A part of the name. */
  readonly name?: OneOrMore<string>;
  /** `name`, or `name=value`; with several, all of them. */
  readonly label?: OneOrMore<string>;
  readonly status?: OneOrMore<ContainerStatus>;
  /** Has ended with this code. */
  readonly exited?: OneOrMore<number>;
  /** Its image, by reference, name or id. Those of images that are made of it are not. */
  readonly ancestor?: OneOrMore<string>;
  /** Made before this container. */
  readonly before?: string;
  /** Made after this container. */
  readonly since?: string;
  /** Made before this time. */
  readonly until?: Date;
  /** Source or target of a mount. */
  readonly volume?: OneOrMore<string>;
  readonly network?: OneOrMore<string>;
  /** A published port of the container or the host: `80` or `80/udp`. Default: tcp. */
  readonly publish?: OneOrMore<string | number>;
  /** `none` is without a health check. */
  readonly health?: OneOrMore<'starting' | 'healthy' | 'unhealthy' | 'none'>;
}

type Test = (services: ContainerServices, record: ContainerRecord) => boolean | Promise<boolean>;

const statuses: readonly string[] = ['created', 'running', 'paused', 'restarting', 'exited'];
const healths: readonly string[] = ['starting', 'healthy', 'unhealthy', 'none'];

/** How each filter is made of its value. */
const makers: Readonly<
  Record<string, (values: readonly unknown[], services: ContainerServices) => Test | Promise<Test>>
> = {
  id: (values) => {
    const starts = texts('id', values);
    return (_, { id }) => starts.some((each) => id.startsWith(each));
  },
  name: (values) => {
    const parts = texts('name', values);
    return (_, { name }) => parts.some((each) => name.includes(each));
  },
  label: (values) => {
    const labels = checkLabels(texts('label', values), 'filters.label');
    return (_, { config }) => labels.every((each) => hasLabel(config.labels, each));
  },
  status: (values) => {
    const wanted = oneOf('status', values, statuses);
    return (services, record) => wanted.includes(containerState(services, record).status);
  },
  exited: (values) => {
    if (!values.every((each) => Number.isInteger(each))) throw invalid('exited', 'whole numbers', values);
    return (services, record) => {
      const state = containerState(services, record);
      return state.status === 'exited' && values.includes(state.exit.exitCode);
    };
  },
  ancestor: (values) => {
    const images = texts('ancestor', values);
    return (_, record) => images.some((each) => isImage(record, each));
  },
  before: async (values, { records }) => {
    const { createdAt } = await records.resolve(single('before', values));
    return (_, record) => record.createdAt < createdAt;
  },
  since: async (values, { records }) => {
    const { createdAt } = await records.resolve(single('since', values));
    return (_, record) => record.createdAt > createdAt;
  },
  until: ([value]) => {
    const until = checkDate(value as Date, 'filters.until');
    return (_, record) => new Date(record.createdAt) < until;
  },
  volume: (values) => {
    const paths = texts('volume', values);
    return (_, { config }) =>
      config.mounts.some(({ source = '', target }) => [source, target].some((each) => paths.includes(each)));
  },
  network: (values) => {
    const names = texts('network', values);
    return (_, { config }) => names.includes(config.network);
  },
  publish: (values) => {
    const ports = values.map(toPort);
    return (_, { config }) =>
      config.ports.some(({ containerPort, hostPort, protocol }) =>
        ports.some((each) => each.protocol === protocol && [containerPort, hostPort].includes(each.port)),
      );
  },
  health: (values) => {
    const wanted = oneOf('health', values, healths);
    return (services, record) => wanted.includes(healthOf(services, record));
  },
};

/**
 * Makes a function of filters that says whether a container is meant.
 *
 * @throws EngineError `INVALID_OPTION`; `NO_SUCH_CONTAINER` and `AMBIGUOUS_CONTAINER` for `before` and `since`.
 */
export async function containerFilter(
  services: ContainerServices,
  filters: ContainerFilters,
): Promise<(record: ContainerRecord) => Promise<boolean>> {
  const tests: Test[] = [];
  for (const [name, value] of Object.entries(filters)) {
    const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
    if (make === undefined) throw invalidOption(`filters.${name}`, `one of ${Object.keys(makers).join(', ')}`, name);
    if (value !== undefined) tests.push(await make(Array.isArray(value) ? value : [value], services));
  }
  return async (record) => {
    for (const test of tests) if (!(await test(services, record))) return false;
    return true;
  };
}

function healthOf({ layout }: ContainerServices, record: ContainerRecord): string {
  if (record.config.healthcheck === undefined) return 'none';
  const files = containerFiles(layout, record.id);
  return currentHealth(files, readState(files))?.status ?? 'starting';
}

function isImage({ image }: ContainerRecord, wanted: string): boolean {
  if (image === undefined) return false;
  const id = wanted.replace(/^sha256:/, '');
  if (/^[0-9a-f]{4,64}$/.test(id) && image.id.slice('sha256:'.length).startsWith(id)) return true;
  return canonical(image.reference) === canonical(wanted);
}

/** Two ways to write one reference are one. What is no reference stays as it is. */
function canonical(reference: string): string {
  try {
    return formatReference(parseReference(reference));
  } catch (error) {
    if (EngineError.is(error, 'INVALID_REFERENCE')) return reference;
    throw error;
  }
}

function toPort(value: unknown): { readonly port: number; readonly protocol: string } {
  const match = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(String(value));
  if (match === null) throw invalid('publish', 'ports like 80 or 80/udp', value);
  return { port: Number(match[1]), protocol: match[2] ?? 'tcp' };
}

function texts(filter: string, values: readonly unknown[]): readonly string[] {
  if (values.every((each) => typeof each === 'string' && each !== '')) return values as readonly string[];
  throw invalid(filter, 'a text or an array of texts', values);
}

function single(filter: string, values: readonly unknown[]): string {
  const [first, ...others] = texts(filter, values);
  if (first !== undefined && others.length === 0) return first;
  throw invalid(filter, 'the name or id of one container', values);
}

function oneOf(filter: string, values: readonly unknown[], known: readonly string[]): readonly string[] {
  if (values.every((each) => known.includes(String(each)))) return values.map(String);
  throw invalid(filter, known.join(', '), values);
}

const invalid = (filter: string, expected: string, got: unknown): EngineError =>
  invalidOption(`filters.${filter}`, expected, String(got).slice(0, 200));
