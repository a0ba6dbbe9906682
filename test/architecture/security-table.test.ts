import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('../../../test/security', import.meta.url));

test('the table of attacks names every test of them, and no other', () => {
  const rows = readFileSync(join(directory, 'README.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'));
  const named = rows.flatMap((row) => [...row.matchAll(/`([a-z][a-z-]{4,})`/g)].map(([, name]) => `${name}.test.ts`));
  const there = readdirSync(directory).filter((name) => name.endsWith('.test.ts'));
  assert.deepEqual([...new Set(named)].sort(), there.sort());
});
