import type { ContainerRecord } from '../../container/container-record.js';
import {
  type Decoded,
  type Decoder,
  decodeJson,
  integer,
  literal,
  mapOf,
  optional,
  record,
  text,
} from '../../core/decode.js';
import type { ContainerEventDetail, EngineEvent, ImageEvent } from '../../core/engine-event.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { signalName } from '../../core/signal.js';

/** Labels can be as long as an image wants them to be. */
const MAX_LABELS = 4096;

/** Members of an object of JSON that say which container it is. Supervisors add theirs: lib/runtime/process-journal.ts. */
export function containerMembers({ id, name, image, config }: ContainerRecord): string {
  const members = JSON.stringify({ type: 'container', id, name, image: image?.reference }).slice(1, -1);
  const labels = JSON.stringify(config.labels);
  return labels.length > MAX_LABELS ? members : `${members},"labels":${labels}`;
}

/** A detail of an event, but for what supervisors tell. */
export type WrittenDetail = Exclude<ContainerEventDetail, { readonly action: 'start' | 'die' }>;

export function encodeContainerEvent(container: ContainerRecord, detail: WrittenDetail, time: Date): string {
  const head = JSON.stringify({ time: time.getTime() * 1000, ...detail }).slice(0, -1);
  return `${head},${containerMembers(container)}}`;
}

export function encodeImageEvent({ action, id, name }: Omit<ImageEvent, 'time'>, time: Date): string {
  return JSON.stringify({ time: time.getTime() * 1000, type: 'image', action, id, name });
}

const anyEvent = record({ time: integer, type: literal('container', 'image'), action: text });
const imageActions = ['pull', 'push', 'tag', 'untag', 'delete', 'load', 'save', 'import'] as const;
const imageEvent = record({ action: literal(...imageActions), id: text, name: optional(text) });
const subject = record({ id: text, name: text, image: optional(text), labels: optional(mapOf(text)) });
const die = record({ exitCode: integer, signal: integer, oomKilled: integer, finishedAt: integer });
const plain = record({ action: literal('create', 'pause', 'unpause', 'stop', 'update', 'destroy') });
const details = new Map<string, Decoder<ContainerEventDetail>>([
  ['start', record({ action: literal('start'), pid: integer })],
  ['kill', record({ action: literal('kill'), signal: text })],
  ['rename', record({ action: literal('rename'), oldName: text })],
  ['commit', record({ action: literal('commit'), imageId: text })],
  ['health_status', record({ action: literal('health_status'), health: text })],
  ['die', (value, path) => dieOf(die(value, path))],
]);

/** Undefined for a line that is none of ours, or was cut. */
export function decodeEvent(line: string): EngineEvent | undefined {
  try {
    const value = decodeJson(line, (json) => json, '');
    const { time, type, action } = anyEvent(value, '');
    if (type === 'image') {
      const { name, ...decoded } = imageEvent(value, '');
      return { type, ...decoded, name, time: dateOf(time) };
    }
    const { id, name, image, labels = {} } = subject(value, '');
    const detail = (details.get(action) ?? plain)(value, '');
    return { type, id, name, image, labels, time: dateOf(time), ...detail };
  } catch (error) {
    if (EngineError.is(error, 'CORRUPT_RECORD')) return undefined;
    throw error;
  }
}

function dieOf({ exitCode, signal, oomKilled, finishedAt }: Decoded<typeof die>): ContainerEventDetail {
  const name = signal === 0 ? undefined : signalName(signal);
  return {
    action: 'die',
    exit: { exitCode, signal: name, oomKilled: oomKilled !== 0, finishedAt: dateOf(finishedAt) },
  };
}

const dateOf = (microseconds: number): Date => new Date(Math.floor(microseconds / 1000));
