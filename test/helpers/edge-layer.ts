import { chmod, chown, copyFile, link, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tarWithoutLinkTarget } from './pack-tree.js';
import { runChecked } from './run-checked.js';

const longName = 'n'.repeat(200);

/** CAP_NET_BIND_SERVICE, permitted and effective. @see capabilities(7), version 2 of the attribute */
const capability = '0x0100000200040000000000000000000000000000';

/**
 * Writes a layer of unusual entries below /srv/edge: devices, a FIFO, hard links (one to a file of a lower layer, a
 * copy of which is `lowerFile`, at /etc/debian_version), symbolic links of every direction, extended attributes, a file
 * capability, special modes, large owners, sub-second times, names that are long, deep, or no UTF-8.
 */
export async function addEdgeLayer(made: string, lowerFile: string, tar: string): Promise<void> {
  const staging = join(made, 'staging');
  const edge = join(staging, 'srv/edge');
  await mkdir(edge, { recursive: true });

  await runChecked('mknod', [join(edge, 'null'), 'c', '1', '3']);
  await runChecked('mknod', [join(edge, 'loop'), 'b', '7', '300']);
  await runChecked('mkfifo', ['-m', '640', join(edge, 'fifo')]);

  await writeFile(join(edge, 'plain'), 'plain\n');
  await link(join(edge, 'plain'), join(edge, 'plain-again'));
  await mkdir(join(staging, 'etc'));
  await copyFile(lowerFile, join(staging, 'etc/debian_version'));
  await link(join(staging, 'etc/debian_version'), join(edge, 'version-of-a-lower-layer'));

  await symlink('/etc/debian_version', join(edge, 'absolute-link'));
  await symlink('../../../../../etc/passwd', join(edge, 'upward-link'));
  await symlink('nowhere', join(edge, 'dangling-link'));
  await symlink('t'.repeat(150), join(edge, 'long-link'));

  await writeFile(join(edge, 'attributes'), '');
  await runChecked('setfattr', ['-n', 'user.comment', '-v', 'two words', join(edge, 'attributes')]);
  await writeFile(join(edge, 'capable'), '', { mode: 0o755 });
  await chown(join(edge, 'capable'), 1000, 1000);
  await runChecked('setfattr', ['-n', 'security.capability', '-v', capability, join(edge, 'capable')]);

  await writeFile(join(edge, 'set-user-id'), '');
  await chown(join(edge, 'set-user-id'), 33, 33);
  await chmod(join(edge, 'set-user-id'), 0o6755);
  await mkdir(join(edge, 'sticky'));
  await chmod(join(edge, 'sticky'), 0o1777);
  await writeFile(join(edge, 'large-owner'), '');
  await chown(join(edge, 'large-owner'), 3_000_000, 4_000_000);
  await writeFile(join(edge, 'old'), '');
  await utimes(join(edge, 'old'), 0, 1_000_000_000.25);

  const deep = join(edge, longName, longName, 'file');
  await mkdir(dirname(deep), { recursive: true });
  await writeFile(deep, 'deep\n');
  await writeFile(Buffer.concat([Buffer.from(`${edge}/latin-`), Buffer.from([0xe9])]), 'not UTF-8\n');
  await writeFile(join(edge, ' space and "quotes"\n'), '');

  await tarWithoutLinkTarget(staging, './srv', './etc/debian_version', tar);
  await rm(staging, { recursive: true });
}
