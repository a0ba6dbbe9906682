import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from '#lib/registry/distribution/parse-challenges.js';
import { parseContentRange } from '#lib/registry/distribution/parse-content-range.js';
import { parseRetryAfter } from '#lib/registry/distribution/parse-retry-after.js';

const challenges = (header: string): unknown =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test('a bearer challenge with commas inside its scope is one challenge', () => {
  const header = 'Bearer realm="https://auth/token",service="registry, inc.",scope="repository:a:pull,push"';
  assert.deepEqual(challenges(header), [
    ['bearer', { realm: 'https://auth/token', service: 'registry, inc.', scope: 'repository:a:pull,push' }],
  ]);
});

test('several challenges, tokens, escapes, spaces and empty list members are understood', () => {
  assert.deepEqual(challenges('Negotiate, Basic realm="a\\"b" , , BEARER Realm = x , service="y"'), [
    ['negotiate', {}],
    ['basic', { realm: 'a"b' }],
    ['bearer', { realm: 'x', service: 'y' }],
  ]);
  assert.deepEqual(challenges('Negotiate YWJj==, Basic realm="x"'), [
    ['negotiate', {}],
    ['basic', { realm: 'x' }],
  ]);
  assert.deepEqual(challenges('Bearer realm="a",realm="b"'), [['bearer', { realm: 'a' }]]);
});

test('syntax errors end the list and cost no time', () => {
  assert.deepEqual(challenges(''), []);
  assert.deepEqual(challenges('=,'), []);
  assert.deepEqual(challenges('realm="x"'), []);
  assert.deepEqual(challenges('Basic realm="x'), [['basic', {}]]);
  assert.deepEqual(challenges('Basic a="b", realm=, charset=x'), [['basic', { a: 'b' }]]);
  const started = performance.now();
  for (const part of ['"\\', 'a ', 'a=', ',', 'a="', ' ']) parseChallenges(`Basic x=${part.repeat(50_000)}`);
  assert.ok(performance.now() - started < 200);
});

test('Retry-After is seconds or a date', () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(parseRetryAfter('7', now), 7000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 2026 00:00:10 GMT', now), 10_000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 2015 00:00:10 GMT', now), 0);
  for (const bad of [undefined, '', '-1', '1.5', 'soon', '1e9', '99999999999999999999']) {
    assert.equal(parseRetryAfter(bad, now), undefined);
  }
});

test('a content range counts only when it is possible', () => {
  assert.deepEqual(parseContentRange('bytes 5-9/10'), { start: 5, end: 9, size: 10 });
  assert.deepEqual(parseContentRange('bytes 5-9/*'), { start: 5, end: 9, size: undefined });
  for (const bad of [
    undefined,
    '',
    'bytes */10',
    'bytes 9-5/10',
    'bytes 5-10/10',
    '5-9/10',
    'bytes 5-9',
    'items 1-2/3',
  ]) {
    assert.equal(parseContentRange(bad), undefined);
  }
});
