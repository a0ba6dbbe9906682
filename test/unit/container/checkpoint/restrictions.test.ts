import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingRestriction } from '#lib/container/checkpoint/restrictions.js';

const before = [
  { target: '/', restrictions: ['ro'] },
  { target: '/sys/fs/cgroup', restrictions: ['nosuid'] },
  { target: '/sys/fs/cgroup', restrictions: ['ro', 'nosuid'] },
  { target: '/proc/keys', restrictions: ['nosuid'] },
];
const masked = new Set(['/proc/keys']);

test('mounts that forbid what they did are fine, in any order, however files are masked', () => {
  const after = [before[1], before[2], before[0], { target: '/proc/keys', restrictions: [] }].flatMap(
    (each) => each ?? [],
  );
  assert.equal(missingRestriction(before, after, masked), undefined);
});

test('a mount that allows more is told, also where another below it forbids that', () => {
  const after = [...before, { target: '/sys/fs/cgroup', restrictions: ['nosuid'] }];
  assert.equal(missingRestriction(before, after, masked), '/sys/fs/cgroup is not ro');
});

test('a mount that is missing is told', () => {
  assert.equal(missingRestriction(before, before.slice(0, 3), masked), '/proc/keys is not masked');
  assert.equal(missingRestriction(before, before.slice(1), masked), '/ is not ro');
});
