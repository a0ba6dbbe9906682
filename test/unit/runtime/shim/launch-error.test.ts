import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { EngineError, type ErrorCode, type ErrorData } from '#lib/core/errors/engine-error.js';
import type { LaunchPlan } from '#lib/runtime/launch-plan.js';
import type { ShimFailure } from '#lib/runtime/shim/frames.js';
import { launchError } from '#lib/runtime/shim/launch-error.js';

const { ENOENT, EACCES, EPERM, EADDRINUSE, ENOEXEC, ENOTDIR, EINVAL, EEXIST } = constants.errno;

const plan: LaunchPlan = {
  namespaces: [],
  prepare: [
    { op: 'write-file', path: '/sys/fs/cgroup/memory/x/memory.limit_in_bytes', data: '1' },
    { op: 'reserve-port', protocol: 'tcp', address: '127.0.0.1', port: 8080 },
  ],
  parent: [
    { op: 'netlink', protocol: 'route', messages: new Uint8Array(), tolerate: [], labels: ['make veth', 'set it up'] },
  ],
  child: [
    { op: 'named-identity', user: 'ghost', groups: [] },
    { op: 'rlimit', resource: 7, soft: 1n, hard: 2n },
    { op: 'execute', arguments: ['prog', 'arg'], environment: [] },
  ],
  cleanup: [{ op: 'remove-directory', path: '/cg' }],
};

const failure = (section: number, index: number, errno: number, syscall: string, operand = ''): ShimFailure => {
  return { section, index, errno, syscall, operand };
};

function assertError<Code extends ErrorCode>(given: ShimFailure, code: Code, data: ErrorData[Code]): void {
  const error = launchError(plan, given);
  assert.ok(EngineError.is(error, code), `${error.code}: ${error.message}`);
  assert.deepEqual(error.data, data);
}

test('a missing program is a shell’s 127', () => {
  const data = { program: 'prog', exitCode: 127 } as const;
  assertError(failure(2, 2, ENOENT, 'execve', 'prog'), 'PROGRAM_NOT_FOUND', data);
  assertError(failure(2, 2, ENOTDIR, 'execve', 'prog'), 'PROGRAM_NOT_FOUND', data);
});

test('a program that cannot be executed is a shell’s 126, with the errno', () => {
  const data = (errno: string) => ({ program: 'prog', errno, exitCode: 126 }) as const;
  assertError(failure(2, 2, EACCES, 'execve', 'prog'), 'PROGRAM_NOT_EXECUTABLE', data('EACCES'));
  assertError(failure(2, 2, ENOEXEC, 'execve', 'prog'), 'PROGRAM_NOT_EXECUTABLE', data('ENOEXEC'));
});

test('an unknown user is named, with what was looked for', () => {
  const reason = "no user 'ghost' in /etc/passwd of the image";
  assertError(failure(2, 0, ENOENT, 'user', reason), 'NO_SUCH_USER', { user: 'ghost', reason });
});

test('a taken port is that port', () => {
  const data = { address: '127.0.0.1', port: 8080, protocol: 'tcp' };
  assertError(failure(0, 1, EADDRINUSE, 'bind', '127.0.0.1:8080/tcp'), 'PORT_TAKEN', data);
});

test('another failure of a port is not mistaken for a taken one', () => {
  const error = launchError(plan, failure(0, 1, EACCES, 'bind', '127.0.0.1:80/tcp'));
  assert.equal(error.code, 'LAUNCH_FAILED');
});

test('everything else names stage, operation, errno and operand', () => {
  assertError(failure(3, 0, EPERM, 'rmdir', '/cg'), 'LAUNCH_FAILED', {
    stage: 'cleanup',
    operation: 'remove-directory: rmdir',
    errno: 'EPERM',
    operand: '/cg',
    hint: '',
  });
});

test('a failure with one usual cause says what to do', () => {
  const limit = launchError(plan, failure(2, 1, EPERM, 'prlimit', 'resource 7'));
  assert.ok(EngineError.is(limit, 'LAUNCH_FAILED'));
  assert.match(limit.data.hint, /CAP_SYS_RESOURCE/);
  assert.match(limit.message, /stage child, rlimit: prlimit resource 7: EPERM \(.*CAP_SYS_RESOURCE/);
  const file = launchError(plan, failure(0, 0, ENOENT, 'open', '/sys/fs/cgroup/memory/x'));
  assert.ok(EngineError.is(file, 'LAUNCH_FAILED'));
  assert.match(file.data.hint, /controller/);
});

test('a netlink message is named by what it was for', () => {
  const error = launchError(plan, failure(1, 0, EEXIST, 'netlink', 'message 1'));
  assert.ok(EngineError.is(error, 'LAUNCH_FAILED'));
  assert.deepEqual([error.data.operation, error.data.operand], ['netlink', 'set it up']);
  const unknown = launchError(plan, failure(1, 0, EEXIST, 'netlink', 'message 9'));
  assert.ok(EngineError.is(unknown, 'LAUNCH_FAILED'));
  assert.equal(unknown.data.operand, 'message 9');
});

test('a failure outside of every operation still gives a whole error', () => {
  const clone = launchError(plan, failure(0, 40, EPERM, 'clone3', 'namespaces 0x0'));
  assert.ok(EngineError.is(clone, 'LAUNCH_FAILED'));
  assert.equal(clone.data.operation, 'start: clone3');
  assert.match(clone.data.hint, /root|namespaces/);
  const strange = launchError(plan, failure(99, 2 ** 31, 4095, 'x', ''));
  assert.ok(EngineError.is(strange, 'LAUNCH_FAILED'));
  assert.deepEqual([strange.data.stage, strange.data.errno], ['prepare', 'errno 4095']);
  const decode = launchError(plan, failure(0, 0, EINVAL, 'decode', 'not a launch plan'));
  assert.ok(EngineError.is(decode, 'LAUNCH_FAILED'));
});
