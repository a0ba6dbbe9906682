import { STATUS_CODES } from 'node:http';
import { type Decoder, decodeJson, listOf, optional, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import type { HttpResponse } from '../http-client.js';
import { parseRateLimit } from './parse-notices.js';
import { parseRetryAfter } from './parse-retry-after.js';
import { readPrefix } from './read-bounded.js';
import { TransientFailure } from './transient-failure.js';

export interface ErrorContext {
  readonly registry: string;
  /** What was asked for, as users write it; undefined when a 404 says nothing about an image. */
  readonly reference: string | undefined;
  /** Words that a hostile answer could echo and that must not get into errors. */
  readonly secrets: readonly string[];
  readonly now: number;
  readonly signal: AbortSignal | undefined;
}

/** How much of a registry's own words an error shows. */
const maxQuoted = 300;

/** Reads an answer that is no success and turns it into the error to throw; one that may pass is `TransientFailure`. */
export async function responseError(
  response: HttpResponse,
  context: ErrorContext,
): Promise<EngineError | TransientFailure> {
  const { registry, reference } = context;
  const { status } = response;
  const reason = await reasonOf(response, context);
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), context.now);
  if (status === 404 && reference !== undefined) return new EngineError('IMAGE_NOT_FOUND', { reference, registry });
  if (status === 401 || status === 403) return new EngineError('REGISTRY_DENIED', { registry, status, reason });
  if (status === 429) {
    const { limit, remaining } = parseRateLimit(response.headers) ?? { limit: undefined, remaining: undefined };
    const limited = new EngineError('REGISTRY_RATE_LIMITED', { registry, retryAfterMs, limit, remaining });
    return new TransientFailure(limited, retryAfterMs);
  }
  if (status < 400) return new EngineError('REGISTRY_PROTOCOL', { registry, reason: `status ${status} is unexpected` });
  const failed = new EngineError('REGISTRY_FAILED', { registry, status, reason });
  return status === 408 || (status >= 500 && status !== 501) ? new TransientFailure(failed, retryAfterMs) : failed;
}

async function reasonOf(response: HttpResponse, context: ErrorContext): Promise<string> {
  const fallback = STATUS_CODES[response.status] ?? 'unknown status';
  let body: Uint8Array;
  try {
    body = await readPrefix(response.body, limits.errorBodyBytes);
  } catch {
    context.signal?.throwIfAborted();
    return fallback; // the status is what matters; its explanation was cut
  }
  return quote(body, context.secrets) || fallback;
}

/** The registry's own words, if they come in the form that the specification gives them. */
function quote(body: Uint8Array, secrets: readonly string[]): string {
  const spoken = parseErrors(Buffer.from(body).toString('utf8'));
  const redacted = secrets.filter((secret) => secret !== '').reduce((all, each) => all.replaceAll(each, '***'), spoken);
  // Controls would move a terminal's cursor, bidirectional marks reorder a line.
  const clean = redacted.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g, ' ');
  return clean.trim().slice(0, maxQuoted);
}

const errorItem = record({ code: optional(text), message: optional(text) });
const anyErrorList: Decoder<readonly unknown[]> = listOf((value) => value);
/** @see OCI distribution-spec, "Error Codes"; token servers say `details` or `error_description` */
const errorBody = record({
  errors: optional(anyErrorList),
  details: optional(text),
  error_description: optional(text),
});

function parseErrors(json: string): string {
  try {
    const { errors, details, error_description } = decodeJson(json, errorBody, 'error');
    const first = errors?.[0];
    if (first === undefined) return details ?? error_description ?? '';
    const { code, message } = errorItem(first, 'error');
    return [code, message].filter((part) => part !== undefined && part !== '').join(': ');
  } catch (error) {
    if (EngineError.is(error, 'CORRUPT_RECORD')) return ''; // pages for people, usually HTML
    throw error;
  }
}
