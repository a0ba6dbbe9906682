import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TarMember, tarMember } from './tar-builder.js';

const program = '/bin/busybox';
let members: Buffer | undefined;

/** The members of a layer with busybox as every applet, users root and nobody, and empty directories; without an end. */
export function busyboxMembers(): Buffer {
  members ??= Buffer.concat(build().map((each) => tarMember(each)));
  return members;
}

export const directory = (name: string, mode = 0o755): TarMember => ({ name: `${name}/`, type: '5', mode });
export const link = (name: string, target: string): TarMember => ({ name, type: '2', link: target, mode: 0o777 });
export const file = (name: string, content: string | Buffer, mode = 0o644): TarMember => ({ name, content, mode });

function build(): TarMember[] {
  const content = readFileSync(program);
  const applets = execFileSync(program, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  return [
    ...['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'var'].map((name) => directory(name)),
    directory('tmp', 0o1777),
    file('bin/busybox', content, 0o755),
    ...applets.filter((name) => name !== 'busybox').map((name) => link(`bin/${name}`, 'busybox')),
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n'),
    file('etc/group', 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n'),
  ];
}
