import type { OneOrMore } from '../../container/container-filters.js';
import { invalidOption } from '../../container/invalid-option.js';
import type { Abortable } from '../../core/abortable.js';
import type { EngineEvent } from '../../core/engine-event.js';
import { hasLabel } from '../../core/labels.js';
import { checkDate, checkLabels } from '../../image/image-filters.js';

/** What events are wanted, in Docker's words: all of it at once; where several values are given, one of them. */
export interface EventFilters {
  readonly type?: OneOrMore<EngineEvent['type']>;
  /** The action. */
  readonly event?: OneOrMore<EngineEvent['action']>;
  /** Name of a container, or the beginning of its id. */
  readonly container?: OneOrMore<string>;
  /** Name or id of an image; for containers the reference that they were made of. */
  readonly image?: OneOrMore<string>;
  /** `name`, or `name=value`, of a container; with several, all of them. */
  readonly label?: OneOrMore<string>;
}

/** Which events are told, and when that begins and ends. */
export interface EventOptions extends Abortable {
  readonly filters?: EventFilters;
  /** Also those that have happened since this time, as far as they are kept: the newest 4 MiB at least. Default: from now on. */
  readonly since?: Date;
  /** The end: the loop ends when this time has come. Default: when it is left, or the engine is closed. */
  readonly until?: Date;
}

type Test = (event: EngineEvent) => boolean;

const makers: Readonly<Record<keyof EventFilters, (values: readonly string[]) => Test>> = {
  type:
    (types) =>
    ({ type }) =>
      types.includes(type),
  event:
    (actions) =>
    ({ action }) =>
      actions.includes(action),
  container: (wanted) => (event) =>
    event.type === 'container' && wanted.some((each) => each === event.name || event.id.startsWith(each)),
  image: (wanted) => (event) => {
    const names = event.type === 'image' ? [event.name, event.id] : [event.image];
    return wanted.some((each) => names.includes(each));
  },
  label: (labels) => {
    const wanted = checkLabels(labels, 'filters.label');
    return (event) => event.type === 'container' && wanted.every((each) => hasLabel(event.labels, each));
  },
};

/** @throws EngineError `INVALID_OPTION`. */
export function eventTest({ filters = {}, since, until }: EventOptions): Test {
  const from = since === undefined ? undefined : checkDate(since, 'since');
  if (until !== undefined) checkDate(until, 'until');
  const tests = Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const make = Object.hasOwn(makers, name) ? makers[name as keyof EventFilters] : undefined;
      if (make === undefined) throw invalidOption(`filters.${name}`, `one of ${Object.keys(makers).join(', ')}`, name);
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (values.every((each) => typeof each === 'string' && each !== '')) return make(values as readonly string[]);
      throw invalidOption(`filters.${name}`, 'a text or an array of texts', String(value).slice(0, 200));
    });
  return (event) => (from === undefined || event.time >= from) && tests.every((test) => test(event));
}
