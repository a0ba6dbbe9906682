import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeviceRule, defaultDeviceRules } from '#lib/runtime/cgroup/device-rules.js';
import { assembleDeviceProgram } from '#lib/runtime/cgroup/v2/device-program.js';
import { type DeviceQuestion, runDeviceProgram } from '../../../../helpers/ebpf-interpreter.js';
import { seededRandom } from '../../../../helpers/random.js';

const ask = (rules: readonly DeviceRule[], question: DeviceQuestion): boolean =>
  runDeviceProgram(assembleDeviceProgram(rules), question) === 1;

const char = (major: number, minor: number, access: string): DeviceQuestion => ({ type: 'char', major, minor, access });
const block = (major: number, minor: number, access: string): DeviceQuestion => {
  return { type: 'block', major, minor, access };
};

test('by default the usual devices can be used, and nodes for any device made but not opened', () => {
  for (const access of ['r', 'w', 'rw', 'm', 'rwm']) {
    assert.ok(ask(defaultDeviceRules, char(1, 3, access)), `null ${access}`);
    assert.ok(ask(defaultDeviceRules, char(136, 4711, access)), `pts ${access}`);
  }
  assert.ok(ask(defaultDeviceRules, block(8, 0, 'm')));
  assert.ok(ask(defaultDeviceRules, char(1, 1, 'm')), 'a node of /dev/mem');
  for (const access of ['r', 'w', 'rw', 'rm', 'wm']) {
    assert.ok(!ask(defaultDeviceRules, block(8, 0, access)), `disk ${access}`);
    assert.ok(!ask(defaultDeviceRules, char(1, 1, access)), `/dev/mem ${access}`);
  }
});

test('a block device is no character device of the same number', () => {
  assert.ok(ask([{ type: 'block', major: 1, minor: 3, access: 'r' }], block(1, 3, 'r')));
  assert.ok(!ask([{ type: 'block', major: 1, minor: 3, access: 'r' }], char(1, 3, 'r')));
});

test('without a rule nothing is allowed', () => {
  assert.ok(!ask([], char(1, 3, 'r')));
});

test('rights from several rules add up, and the last rule that names a right decides about it', () => {
  const rules: DeviceRule[] = [
    { type: 'char', major: '*', minor: '*', access: 'r' },
    { type: 'char', major: 10, minor: '*', access: 'w' },
    { type: 'char', major: 10, minor: 229, access: 'w', allow: false },
  ];
  assert.ok(ask(rules, char(10, 1, 'rw')));
  assert.ok(ask(rules, char(10, 229, 'r')));
  assert.ok(!ask(rules, char(10, 229, 'rw')));
  assert.ok(!ask(rules, char(10, 1, 'm')));
  assert.ok(ask([...rules, { type: 'char', major: '*', minor: 229, access: 'w' }], char(10, 229, 'rw')));
});

test('numbers up to the largest that the kernel has are told apart', () => {
  const rules: DeviceRule[] = [{ type: 'block', major: 4095, minor: 1_048_575, access: 'rwm' }];
  assert.ok(ask(rules, block(4095, 1_048_575, 'rwm')));
  assert.ok(!ask(rules, block(4095, 1_048_574, 'r')));
});

test('random rules mean what their definition says', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 500; round += 1) {
    const rules = Array.from({ length: random.below(12) }, (): DeviceRule => {
      return {
        type: random.pick(['char', 'block'] as const),
        major: random.pick(['*', 1, 2] as const),
        minor: random.pick(['*', 1, 2] as const),
        access: random.pick(['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm']),
        allow: random.pick([true, true, false]),
      };
    });
    for (const type of ['char', 'block'] as const) {
      for (const access of ['r', 'w', 'm', 'rw', 'rwm']) {
        const question = { type, major: random.pick([1, 2, 3]), minor: random.pick([1, 2, 3]), access };
        assert.equal(ask(rules, question), allowed(rules, question), JSON.stringify({ rules, question }));
      }
    }
  }
});

/** The definition, right by right. */
function allowed(rules: readonly DeviceRule[], question: DeviceQuestion): boolean {
  const concerns = (rule: DeviceRule): boolean =>
    rule.type === question.type &&
    (rule.major === '*' || rule.major === question.major) &&
    (rule.minor === '*' || rule.minor === question.minor);
  return [...question.access].every((right) => {
    const last = rules.findLast((rule) => concerns(rule) && rule.access.includes(right));
    return last !== undefined && last.allow !== false;
  });
}
