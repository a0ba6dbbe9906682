import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A kernel of Debian's package linux-image-cloud-amd64. */
export interface GuestKernel {
  readonly image: string;
  /** With `modules.dep`. */
  readonly modules: string;
}

/** The newest kernel that is installed. */
export function findKernel(): GuestKernel {
  const versions = readdirSync('/boot')
    .flatMap((name) => /^vmlinuz-(.*-cloud-amd64)$/.exec(name)?.[1] ?? [])
    .filter((version) => existsSync(`/lib/modules/${version}/modules.dep`))
    .sort(new Intl.Collator('en', { numeric: true }).compare);
  const version = versions.at(-1);
  if (version === undefined) throw new Error('no kernel for the guest: install linux-image-cloud-amd64');
  return { image: `/boot/vmlinuz-${version}`, modules: `/lib/modules/${version}` };
}

/** Paths of modules in an order in which each finds what it needs; names that are built in are left out. */
export function moduleFiles({ modules }: GuestKernel, names: readonly string[]): string[] {
  const lines = readFileSync(join(modules, 'modules.dep'), 'utf8').trim().split('\n');
  const builtIn = readFileSync(join(modules, 'modules.builtin'), 'utf8');
  const needs = new Map(lines.map((line) => line.split(':') as [string, string]));
  const ordered = new Set<string>();
  const add = (path: string): void => {
    for (const each of (needs.get(path) ?? '').split(' ').filter(Boolean).reverse()) add(each);
    ordered.add(path);
  };
  for (const name of names) {
    const path = [...needs.keys()].find((each) => each.endsWith(`/${name}.ko`));
    if (path !== undefined) add(path);
    else if (!builtIn.includes(`/${name}.ko`)) throw new Error(`the kernel has no module ${name}`);
  }
  return [...ordered].map((path) => join(modules, path));
}
