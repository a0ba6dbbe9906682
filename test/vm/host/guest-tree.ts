import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readElf } from '#lib/image/from-host/elf.js';
import { HostTree } from '#lib/image/from-host/host-tree.js';
import { resolveLibraries } from '#lib/image/from-host/resolve-libraries.js';
import type { TreeEntry } from '#lib/image/from-host/tree-entry.js';
import { compileProbe } from '../../helpers/compile-probe.js';
import { runChecked } from '../../helpers/run-checked.js';
import { cached } from '../../helpers/test-cache.js';
import { findKernel, moduleFiles } from './kernel.js';

const project = fileURLToPath(new URL('../../../../', import.meta.url));

/** Where the project is in the guest. */
const app = '/app';

/** What containers need of a kernel that Debian has as modules. */
const modules = [
  ...['overlay', 'veth', 'bridge', 'br_netfilter', 'nf_tables', 'nft_chain_nat', 'nft_nat', 'nft_masq', 'nft_redir'],
  ...['nft_ct', 'nft_fib_inet', 'nft_fib_ipv4', 'nft_reject_inet', 'nft_compat', 'loop', 'ext4', 'brd', 'bfq'],
];

/** Two disks in memory: one for files, one to be read by those who must not. */
const parameters: Readonly<Record<string, string>> = { 'brd.ko': 'rd_nr=2 rd_size=262144' };

const directories = [
  '/dev',
  '/etc',
  '/mnt',
  '/proc',
  '/root',
  '/run',
  '/sys',
  '/tmp',
  '/usr/bin',
  '/var/lib',
  '/var/tmp',
];

const texts = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  '/etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  '/etc/hosts': '127.0.0.1 localhost\n',
  '/etc/resolv.conf': '',
};

/** The guest's root file system: busybox, Node, and the built project with what it needs at run time. */
export async function guestTree(): Promise<[path: string, entry: TreeEntry][]> {
  const tree = new HostTree();
  for (const path of directories) tree.set(path, { type: 'directory', mode: path.endsWith('tmp') ? 0o1777 : 0o755 });
  for (const [path, text] of Object.entries(texts)) tree.set(path, { type: 'text', mode: 0o644, text });
  await addBusybox(tree);
  await addProgram(tree, process.execPath, '/usr/bin/node');
  await addProgram(tree, '/sbin/mke2fs', '/usr/bin/mke2fs');
  await addProject(tree);
  await addModules(tree);
  await addProbe(tree, 'options-probe');
  await tree.addHostPathAs(join(project, 'test/vm/init.sh'), '/init');
  return tree.sorted();
}

async function addBusybox(tree: HostTree): Promise<void> {
  const program = (await runChecked('sh', ['-c', 'command -v busybox'])).trim();
  await tree.addHostPathAs(program, '/bin/busybox');
  const applets = (await runChecked(program, ['--list'])).trim().split('\n');
  for (const name of applets) if (name !== 'busybox') tree.set(`/bin/${name}`, { type: 'link', target: 'busybox' });
}

/** With the libraries that it loads. */
async function addProgram(tree: HostTree, source: string, target: string): Promise<void> {
  await tree.addHostPathAs(source, target);
  const elf = await readElf(source);
  if (elf === undefined) throw new Error(`${source} is no program`);
  const { paths, usesCache } = await resolveLibraries(source, elf);
  for (const path of paths) await tree.addHostPath(path);
  if (usesCache) await tree.addHostPath('/etc/ld.so.cache');
}

async function addProject(tree: HostTree): Promise<void> {
  const parts = ['package.json', 'dist', 'build', 'native/prebuilt', 'native/src', ...packages()];
  for (const path of parts) await tree.addHostPathAs(join(project, path), join(app, path));
}

/** The packages that the project needs at run time, as far as they are for this platform. */
function packages(): string[] {
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true && existsSync(join(project, path)))
    .map(([path]) => path)
    .filter((path) => path.lastIndexOf('node_modules') === 0); // nested ones come with the package that holds them
}

/** The guest has no compiler. */
async function addProbe(tree: HostTree, name: string): Promise<void> {
  const source = readFileSync(join(project, `test/fixtures/${name}.c`));
  const version = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const directory = await cached(`${name}-${version}`, async (made) => {
    await writeFile(join(made, name), await compileProbe(name), { mode: 0o755 });
  });
  await tree.addHostPathAs(join(directory, name), join(app, 'probes', name));
}

async function addModules(tree: HostTree): Promise<void> {
  const files = moduleFiles(findKernel(), modules);
  for (const path of files) await tree.addHostPathAs(path, `/modules/${basename(path)}`);
  const lines = files.map((each) => `${basename(each)} ${parameters[basename(each)] ?? ''}\n`);
  tree.set('/modules/order', { type: 'text', mode: 0o644, text: lines.join('') });
}
