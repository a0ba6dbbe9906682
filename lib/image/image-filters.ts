import { EngineError } from '../core/errors/engine-error.js';
import { hasLabel } from '../core/labels.js';
import { parseReference } from '../core/reference.js';
import { matchPath } from '../util/match-path.js';
import { builtAtMs, type ImageGroup } from './image-group.js';
import { configOf, type ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';

/** What images must be, in Docker's words. All of it at once. */
export interface ImageFilters {
  /**
   * Names with or without tag, in which `*` and `?` stand for anything but a slash: `debian`, `team/*:1.?`. Of an image only
   * the names that match are shown. With several, one has to match.
   */
  readonly reference?: string | readonly string[];
  /** `name`, or `name=value`; with several, all of them. */
  readonly label?: string | readonly string[];
  /** Without any name, or with one. */
  readonly dangling?: boolean;
  /** Built before this image. */
  readonly before?: string;
  /** Built after this image. */
  readonly since?: string;
  /** Built before this time. */
  readonly until?: Date;
}

type Keep = (group: ImageGroup) => ImageGroup | undefined;

/**
 * Makes a function of filters that gives an image back, with the names to show, or nothing.
 *
 * @throws EngineError `INVALID_OPTION`; `NO_SUCH_IMAGE` and `AMBIGUOUS_IMAGE` for `before` and `since`.
 */
export async function imageFilter(services: ImageServices, filters: ImageFilters): Promise<Keep> {
  const unknown = Object.keys(filters).find((name) => !filterNames.includes(name));
  if (unknown !== undefined) throw invalid(`filters.${unknown}`, `one of ${filterNames.join(', ')}`, unknown);
  const { dangling, before, since } = filters;
  if (dangling !== undefined && typeof dangling !== 'boolean') {
    throw invalid('filters.dangling', 'true or false', dangling);
  }
  const patterns = listOf(filters.reference, 'filters.reference');
  const labels = checkLabels(listOf(filters.label, 'filters.label') ?? [], 'filters.label');
  const until = filters.until === undefined ? undefined : checkDate(filters.until, 'filters.until');
  const earliest = before === undefined ? undefined : builtAtMs(await services.images.resolve(before));
  const latest = since === undefined ? undefined : builtAtMs(await services.images.resolve(since));
  return (group) => {
    const [image] = group.records;
    if (dangling !== undefined && dangling !== (group.names.length === 0)) return undefined;
    if (!hasLabels(image, labels)) return undefined;
    const builtAt = builtAtMs(image);
    if (earliest !== undefined && builtAt >= earliest) return undefined;
    if (latest !== undefined && builtAt <= latest) return undefined;
    if (until !== undefined && !isBuiltBefore(image, until)) return undefined;
    if (patterns === undefined) return group;
    const names = group.names.filter((name) => patterns.some((pattern) => isMatch(pattern, name)));
    return names.length === 0 ? undefined : { ...group, names };
  };
}

const filterNames: readonly string[] = ['reference', 'label', 'dangling', 'before', 'since', 'until'];

/** True when its configuration has all of them. */
export function hasLabels(image: ImageRecord, labels: readonly string[]): boolean {
  const own = configOf(image).config?.Labels ?? {};
  return labels.every((label) => hasLabel(own, label));
}

export const isBuiltBefore = (image: ImageRecord, time: Date): boolean => builtAtMs(image) < time.getTime();

/** @throws EngineError `INVALID_OPTION`. */
export function checkLabels(labels: readonly string[], option: string): readonly string[] {
  const isFine = (label: unknown): boolean => typeof label === 'string' && !/^(?:=|$)/.test(label);
  if (Array.isArray(labels) && labels.every(isFine)) return labels;
  throw invalid(option, "labels as 'name' or 'name=value'", labels);
}

/** @throws EngineError `INVALID_OPTION`. */
export function checkDate(date: Date, option: string): Date {
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date;
  throw invalid(option, 'a valid Date', date);
}

function listOf(value: string | readonly string[] | undefined, option: string): readonly string[] | undefined {
  const list = typeof value === 'string' ? [value] : value;
  if (list === undefined || (Array.isArray(list) && list.every((each) => typeof each === 'string'))) return list;
  throw invalid(option, 'a text or an array of texts', value);
}

/** @see https://docs.docker.com/reference/cli/docker/image/ls/#filter */
function isMatch(pattern: string, name: string): boolean {
  const { tag, digest } = parseReference(name);
  const suffix = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return matchPath(pattern, name) || matchPath(pattern, name.slice(0, name.length - suffix.length));
}

const invalid = (option: string, expected: string, got: unknown): EngineError =>
  new EngineError('INVALID_OPTION', { option, expected, got: String(got).slice(0, 200) });
