import assert from 'node:assert/strict';
import { test } from 'node:test';
test('hello', async () => { assert.ok(true); });
