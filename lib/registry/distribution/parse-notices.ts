import { limits } from '../../core/limits.js';
import type { RegistryNotice } from '../registry-notice.js';

/** What the headers of an answer tell the user. Controls are taken out of warnings: they are shown to people. */
export function noticesOf(headers: ReadonlyMap<string, string>, registry: string): readonly RegistryNotice[] {
  const warnings = parseWarnings(headers.get('warning')).map((text) => ({ type: 'warning', registry, text }) as const);
  const rate = parseRateLimit(headers);
  return rate === undefined ? warnings : [...warnings, { type: 'rate-limit', registry, ...rate }];
}

export interface RateLimit {
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly windowSeconds: number | undefined;
}

/** `ratelimit-limit: 100;w=21600`, as Docker Hub says it; undefined when nothing is said. */
export function parseRateLimit(headers: ReadonlyMap<string, string>): RateLimit | undefined {
  const limit = parseCount(headers.get('ratelimit-limit'));
  const remaining = parseCount(headers.get('ratelimit-remaining'));
  if (limit === undefined && remaining === undefined) return undefined;
  return {
    limit: limit?.count,
    remaining: remaining?.count,
    windowSeconds: limit?.windowSeconds ?? remaining?.windowSeconds,
  };
}

interface Count {
  readonly count: number;
  readonly windowSeconds: number | undefined;
}

function parseCount(header: string | undefined): Count | undefined {
  const match = /^\s*(\d{1,12})(?:\s*;\s*w=(\d{1,12}))?/.exec(header ?? '');
  if (match === null) return undefined;
  return { count: Number(match[1]), windowSeconds: match[2] === undefined ? undefined : Number(match[2]) };
}

/** Only code 299 without an agent means the user. @see OCI distribution-spec, "Warnings" */
function parseWarnings(header: string | undefined): readonly string[] {
  const found = (header ?? '').slice(0, limits.warningBytes).matchAll(/(?:^|,)\s*299 - "((?:[^"\\]|\\.)*)"/g);
  const texts = [...found].map(([, quoted = '']) =>
    quoted
      .replace(/\\(.)/g, '$1')
      .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g, ' ')
      .trim(),
  );
  return [...new Set(texts)].filter((text) => text !== '');
}
