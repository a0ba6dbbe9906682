import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { ContainerOptions } from 'tscontainer';
import { type OptionsLab, openOptionsLab } from '../../helpers/options-lab.js';
import { rejection } from '../../helpers/rejection.js';

const keys = ['status:CapEff', 'status:CapBnd', 'status:Seccomp', 'status:NoNewPrivs'] as const;
const MKNOD = 1n << 27n;
const NET_ADMIN = 1n << 12n;

describe('security options', () => {
  let options: OptionsLab;
  before(async () => {
    options = await openOptionsLab();
  });
  after(() => options[Symbol.asyncDispose]());

  const see = (wanted: Partial<ContainerOptions>, ...more: readonly string[]) => options.see(wanted, ...keys, ...more);
  const mask = (text: string | undefined): bigint => BigInt(`0x${text}`);

  test('capAdd and capDrop decide about the capabilities', async () => {
    const usual = mask((await see({}))['status:CapEff']);
    assert.equal(mask((await see({ capAdd: ['NET_ADMIN'] }))['status:CapEff']), usual | NET_ADMIN);
    assert.equal(mask((await see({ capDrop: ['MKNOD'] }))['status:CapBnd']), usual & ~MKNOD);
    assert.equal(mask((await see({ capDrop: ['ALL'] }))['status:CapBnd']), 0n);
    assert.equal(mask((await see({ capDrop: ['ALL'], capAdd: ['NET_ADMIN'] }))['status:CapEff']), NET_ADMIN);
    const all = await see({ capAdd: ['ALL'], capDrop: ['MKNOD'] });
    const { 'status:CapBnd': host } = await options.seeOnHost('status:CapBnd');
    assert.equal(mask(all['status:CapEff']), mask(host) & ~MKNOD & ((1n << 41n) - 1n));
  });

  test('a filter of system calls is there unless it is taken away, in either form', async () => {
    assert.equal((await see({}))['status:Seccomp'], '2');
    assert.equal((await see({ seccomp: 'unconfined' }))['status:Seccomp'], '0');
    assert.equal((await see({ securityOpt: ['seccomp=unconfined'] }))['status:Seccomp'], '0');
    assert.equal((await see({ securityOpt: ['seccomp=builtin'] }))['status:Seccomp'], '2');
    const profile = JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
    });
    const seen = await see({ securityOpt: [`seccomp=${profile}`] }, 'write:/tmp');
    assert.deepEqual([seen['status:Seccomp'], seen['write:/tmp']], ['2', 'Operation not supported']);
  });

  test('no-new-privileges holds, in either form', async () => {
    assert.equal((await see({}))['status:NoNewPrivs'], '0');
    assert.equal((await see({ noNewPrivileges: true }))['status:NoNewPrivs'], '1');
    assert.equal((await see({ securityOpt: ['no-new-privileges'] }))['status:NoNewPrivs'], '1');
    assert.equal((await see({ securityOpt: ['no-new-privileges:false'] }))['status:NoNewPrivs'], '0');
  });

  test('hidden and read-only paths are those that are wanted', async () => {
    const sysctl = 'write:/proc/sys/kernel/shm_rmid_forced';
    assert.equal((await see({}, sysctl))[sysctl], 'Read-only file system');
    assert.equal((await see({ securityOpt: ['systempaths=unconfined'] }, sysctl))[sysctl], 'yes');
    assert.equal((await see({ readonlyPaths: [] }, sysctl))[sysctl], 'yes');
    const own = await see({ maskedPaths: ['/proc/uptime'] }, 'file:/proc/uptime', 'mount:/proc/keys');
    assert.deepEqual([own['file:/proc/uptime'], own['mount:/proc/keys']], ['', 'none']);
  });

  test('privileged is everything that the host’s root may do, and the host’s devices', async () => {
    const seen = await see(
      { privileged: true },
      'mount:/sys',
      'mount:/proc/sys',
      'write:/proc/sys/kernel/shm_rmid_forced',
    );
    const { 'status:CapBnd': host } = await options.seeOnHost('status:CapBnd');
    assert.equal(mask(seen['status:CapEff']), mask(host) & ((1n << 41n) - 1n));
    assert.equal(seen['status:Seccomp'], '0');
    assert.match(seen['mount:/sys'] ?? '', /^sysfs rw,/);
    assert.deepEqual([seen['mount:/proc/sys'], seen['write:/proc/sys/kernel/shm_rmid_forced']], ['none', 'yes']);
    for (const path of ['/dev/fuse', '/dev/net/tun', '/dev/kmsg'].filter((each) => existsSync(each))) {
      const key = `device:${path}`;
      const [inside, outside] = [await see({ privileged: true }, key), await options.seeOnHost(key)];
      assert.equal(inside[key], outside[key]);
    }
  });

  test('exec has the rights of the container, and with `privileged` all', async () => {
    await using container = await options.start({ capDrop: ['ALL'] });
    const plain = await options.seeIn(container, keys);
    assert.deepEqual([mask(plain['status:CapEff']), plain['status:Seccomp']], [0n, '2']);
    const raised = await options.seeIn(container, keys, { privileged: true });
    assert.ok(mask(raised['status:CapEff']) > NET_ADMIN);
    assert.equal(raised['status:Seccomp'], '0');
  });

  test('a host without AppArmor or SELinux says so; what asks for neither is fine', async () => {
    assert.equal((await see({ securityOpt: ['apparmor=unconfined', 'label=disable'] }))['status:Seccomp'], '2');
    if (!existsSync('/sys/module/apparmor/parameters/enabled')) {
      const error = await rejection(options.start({ securityOpt: ['apparmor=some-profile'] }), 'UNSUPPORTED_HOST');
      assert.match(error.message, /AppArmor|apparmor/);
    }
    if (!existsSync('/sys/fs/selinux/enforce')) {
      await rejection(options.start({ securityOpt: ['label=type:spc_t'] }), 'UNSUPPORTED_HOST');
    }
  });

  test('nonsense is refused with the name of the option, and leaves nothing', async () => {
    const rows: readonly (readonly [string, object])[] = [
      ['securityOpt', { securityOpt: ['seccomp'] }],
      ['securityOpt', { securityOpt: ['seccomp=/etc/profile.json'] }],
      ['securityOpt.seccomp', { securityOpt: ['seccomp={"defaultAction":3}'] }],
      ['securityOpt', { securityOpt: ['no-new-privileges:perhaps'] }],
      ['securityOpt', { securityOpt: ['label=colour:red'] }],
      ['securityOpt', { securityOpt: ['seccomp=unconfined'], seccomp: 'default' }],
      ['capAdd', { capAdd: ['FLY'] }],
      ['maskedPaths', { maskedPaths: ['proc'] }],
      ['privileged', { privileged: 'yes' }],
    ];
    for (const [option, wanted] of rows) {
      const error = await rejection(options.start(wanted as Partial<ContainerOptions>), 'INVALID_OPTION');
      assert.ok(error.data.option.startsWith(option), `${error.data.option} for ${JSON.stringify(wanted)}`);
    }
    assert.deepEqual(await options.lab.engine.containers.list(), []);
  });
});
