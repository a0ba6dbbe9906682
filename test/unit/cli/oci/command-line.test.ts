import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkContainerId } from '#lib/cli/oci/container-record.js';
import { execOptions } from '#lib/cli/oci/exec-options.js';
import { execProcess } from '#lib/cli/oci/exec-process.js';
import { joinCgroups } from '#lib/cli/oci/join-cgroups.js';
import { parseArguments } from '#lib/cli/oci/parse-arguments.js';
import { UsageError } from '#lib/cli/oci/usage-error.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { OciProcess } from '#lib/runtime/oci/oci-process.js';

const specs = {
  bundle: { kind: 'text', short: 'b', help: '' },
  detach: { kind: 'flag', short: 'd', help: '' },
  env: { kind: 'list', short: 'e', help: '' },
  count: { kind: 'number', help: '' },
} as const;

describe('options', () => {
  test('in every spelling, up to the first word that is none', () => {
    const words = ['-b', '/x', '--env=A=1', '-e', 'B=2', '-eC=3', '--count', '-1', '-d', 'id', '-b', 'not-ours'];
    const { options, rest } = parseArguments(words, specs);
    assert.deepEqual(options, { bundle: '/x', detach: true, env: ['A=1', 'B=2', 'C=3'], count: -1 });
    assert.deepEqual(rest, ['id', '-b', 'not-ours']);
  });

  test('end at --', () => {
    assert.deepEqual(parseArguments(['-d', '--', '-b'], specs).rest, ['-b']);
  });

  test('that are unknown, or lack a value, or have a wrong one, are refused', () => {
    for (const words of [['--nope'], ['-x'], ['--bundle'], ['--count', 'many']])
      assert.throws(() => parseArguments(words, specs), UsageError, words.join(' '));
  });
});

test('ids with which no path can be left', () => {
  for (const id of ['a', 'A_b-c.d+1', 'x'.repeat(255)]) assert.equal(checkContainerId(id), id);
  for (const id of ['', '.', '..', '.a', 'a/b', 'a b', '-a', 'a\0', 'ä', 'x'.repeat(256)])
    assert.throws(
      () => checkContainerId(id),
      (error) => EngineError.is(error, 'INVALID_CONTAINER_ID'),
      JSON.stringify(id),
    );
});

describe('the process of exec', () => {
  const base: OciProcess = {
    cwd: '/w',
    args: ['init'],
    env: ['PATH=/bin', 'A=1'],
    user: { uid: 5, gid: 6 },
    terminal: true,
    noNewPrivileges: true,
    capabilities: { bounding: ['CAP_CHOWN'] },
  };
  const make = (...words: string[]) => {
    const { options, rest } = parseArguments(words, execOptions);
    return execProcess(options, base, rest);
  };

  test('is the container’s own with other arguments, and no terminal unless asked for', () => {
    assert.deepEqual(make('ls'), { ...base, args: ['ls'], terminal: false });
  });

  test('takes what the options change', () => {
    const process = make('-t', '-e', 'A=2', '-u', '7:8', '-g', '9', '--cwd', '/x', '--cap', 'CAP_KILL', 'ls');
    assert.deepEqual(process.env, ['PATH=/bin', 'A=2']);
    assert.deepEqual(process.user, { uid: 7, gid: 8, additionalGids: [9] });
    assert.deepEqual([process.terminal, process.cwd], [true, '/x']);
    assert.deepEqual(process.capabilities, {
      bounding: ['CAP_CHOWN', 'CAP_KILL'],
      effective: ['CAP_KILL'],
      permitted: ['CAP_KILL'],
    });
  });

  test('never becomes another user by a strange number (CVE-2026-30892)', () => {
    for (const user of ['1:', '0x1', ' 1', '+1', '01', '', '-1', '4294967295', '1:2:3', 'root'])
      assert.throws(() => make('-u', user, 'ls'), UsageError, JSON.stringify(user));
  });
});

test('a group of exec is below the container’s', () => {
  const cgroup = { version: 'v1', path: '/c', directories: ['/nowhere/c'] } as const;
  assert.deepEqual(joinCgroups(cgroup, undefined), [{ op: 'join-cgroup', path: '/nowhere/c' }]);
  for (const below of ['..', '../x', 'a/../../b', './..', 'missing'])
    assert.throws(() => joinCgroups(cgroup, below), UsageError, below);
});
