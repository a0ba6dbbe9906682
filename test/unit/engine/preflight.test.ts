import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { checkKernel, checkPrivileges, checkRuntime, ownCapabilities } from '#lib/engine/preflight.js';
import { allCapabilities, capabilityMask } from '#lib/runtime/capabilities.js';

function refusal(work: () => void): { readonly missing: string; readonly hint: string } {
  try {
    work();
  } catch (error) {
    assert.ok(EngineError.is(error, 'UNSUPPORTED_HOST'), String(error));
    assert.ok(error.data.hint.length > 0, 'it says what to do');
    assert.equal(error.kind, 'unsupported');
    return error.data;
  }
  return assert.fail('it was taken');
}

describe('the runtime', () => {
  test('Linux on the two processors with a Node.js that is new enough is taken', () => {
    for (const architecture of ['x64', 'arm64']) {
      for (const version of ['20.19.0', '20.20.2', '22.0.0', '24.1.0', 'v20.19.0', '100.0.0', '21.0.0-nightly']) {
        checkRuntime('linux', architecture, version);
      }
    }
  });

  test('another system, another processor and an older Node.js are named', () => {
    assert.match(refusal(() => checkRuntime('darwin', 'arm64', '22.0.0')).missing, /Linux \(this is darwin\)/);
    assert.match(refusal(() => checkRuntime('win32', 'x64', '22.0.0')).hint, /VM/);
    assert.match(refusal(() => checkRuntime('linux', 'riscv64', '22.0.0')).missing, /riscv64/);
    for (const version of ['20.18.3', '18.20.0', '0.12.0', '20.9.0']) {
      assert.match(refusal(() => checkRuntime('linux', 'x64', version)).missing, /Node\.js 20\.19/);
    }
  });
});

describe('the kernel', () => {
  test('is new enough from 5.12 on', () => {
    for (const version of ['5.12.0', '5.15.0-91-generic', '6.1.0', '6.18.2+', '10.0']) checkKernel(version);
    for (const version of ['5.11.22', '4.19.0-25-amd64', '3.10.0', '5.4']) {
      assert.match(refusal(() => checkKernel(version)).missing, /Linux 5\.12/);
    }
  });

  test('is that of this machine unless told otherwise', () => {
    checkKernel();
  });
});

describe('rights', () => {
  const all = capabilityMask(allCapabilities);

  test('root with all capabilities is taken, also with Docker’s privileged set', () => {
    checkPrivileges(0, all);
    checkPrivileges(0, 0x1ff_ffff_ffffn);
  });

  test('another user is told to be root', () => {
    assert.match(refusal(() => checkPrivileges(1000, all)).missing, /root \(user id is 1000\)/);
  });

  test('root without a capability that starting takes is told what to do', () => {
    for (const missing of ['SYS_ADMIN', 'SETUID', 'SETPCAP', 'MKNOD', 'KILL'] as const) {
      const { hint } = refusal(() => checkPrivileges(0, all & ~capabilityMask([missing])));
      assert.match(hint, /privileged/);
    }
    refusal(() => checkPrivileges(0, capabilityMask(['CHOWN', 'SETUID', 'SETGID']))); // as in an ordinary container
    checkPrivileges(0, all & ~capabilityMask(['SYS_RESOURCE', 'SYS_MODULE']));
  });

  test('own capabilities are those of the kernel', () => {
    const mask = ownCapabilities();
    assert.ok(mask >= 0n && mask < 1n << 64n);
    if (process.geteuid?.() !== 0) assert.equal(mask, 0n);
    else assert.ok((mask & capabilityMask(['CHOWN'])) !== 0n);
  });
});
