import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Capability, resolveCapabilities } from '#lib/runtime/capabilities.js';
import { seccompArchitecture } from '#lib/runtime/seccomp/architecture.js';
import { assembleSeccomp } from '#lib/runtime/seccomp/assemble-seccomp.js';
import { defaultSeccompProfile } from '#lib/runtime/seccomp/default-profile.js';
import type { SeccompProfile } from '#lib/runtime/seccomp/profile.js';
import { runProgram } from '../../helpers/run-program.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

const source = fileURLToPath(new URL('../../../../test/fixtures/seccomp-probe.c', import.meta.url));
const architecture = seccompArchitecture(process.arch);

/** Loads the filter into a real process and returns what its calls gave. */
async function probe(context: TestContext, profile: SeccompProfile): Promise<Record<string, string>> {
  const directory = await scopedDirectory(context);
  const program = join(directory, 'probe');
  const built = await runProgram('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-static', source, '-o', program]);
  assert.equal(built.exitCode, 0, built.stderr);
  await writeFile(join(directory, 'filter'), assembleSeccomp(profile, architecture));
  const run = await runProgram(program, [join(directory, 'filter')]);
  assert.equal(run.exitCode, 0, run.stderr);
  const lines = run.stdout.trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' ')));
}

const EPERM = '1';
const ENOSYS = '38';

test('the default profile holds in a real process', async (context) => {
  const profile = defaultSeccompProfile({ capabilities: resolveCapabilities(), architecture });
  const result = await probe(context, profile);
  const allowed = ['getppid', 'socket-unix', 'socket-inet', 'clone-plain', 'chroot'];
  for (const name of [...allowed, 'personality-linux', 'personality-question']) assert.equal(result[name], '0', name);
  const denied = [
    'socket-alg',
    'socket-vsock',
    'socket-alg-dirty',
    'socket-vsock-dirty',
    'unshare-user',
    'unshare-uts',
  ];
  const closed = ['clone-newuser', 'keyctl', 'io_uring_setup', 'userfaultfd', 'bpf', 'personality-no-randomisation'];
  for (const name of [...denied, ...closed]) assert.equal(result[name], EPERM, name);
  for (const name of ['clone3', 'newer-than-the-tables', 'x32']) assert.equal(result[name], ENOSYS, name);
});

test('capabilities open the calls that they guard', async (context) => {
  const capabilities: ReadonlySet<Capability> = resolveCapabilities({ capAdd: ['SYS_ADMIN'], capDrop: ['SYS_CHROOT'] });
  const result = await probe(context, defaultSeccompProfile({ capabilities, architecture }));
  assert.equal(result['unshare-uts'], '0');
  assert.equal(result['clone3'], '22', 'the kernel sees the call and finds its arguments wrong');
  assert.equal(result['chroot'], EPERM);
  assert.equal(result['socket-alg'], EPERM);
});

test('without a filter the same calls reach the kernel', async (context) => {
  const result = await probe(context, { defaultAction: 'SCMP_ACT_ALLOW' });
  for (const name of ['unshare-uts', 'clone-newuser', 'chroot', 'userfaultfd']) assert.equal(result[name], '0', name);
  assert.notEqual(result['socket-alg-dirty'], EPERM, 'the kernel ignores the upper bits of the family');
  if (process.arch === 'x64') assert.equal(result['int80'], 'killed', 'an architecture that is not in the filter');
});
