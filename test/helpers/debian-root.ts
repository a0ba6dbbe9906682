import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecked } from './run-checked.js';
import { cached } from './test-cache.js';

/** A Debian root file system as debootstrap makes it (variant minbase) with nginx. Takes a minute the first time. */
export async function debianRoot(): Promise<string> {
  return cached('debian-root-1', async (directory) => {
    const { mirror, suite } = await debianMirror();
    const root = join(directory, 'made');
    await runChecked(
      'debootstrap',
      ['--variant=minbase', '--merged-usr', '--include=nginx-light', suite, root, mirror],
      { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
    );
    await rm(join(root, 'var/cache/apt/archives'), { recursive: true });
    for (const name of await readdir(root)) await rename(join(root, name), join(directory, name));
    await rm(root, { recursive: true });
  });
}

/** The suite that this machine runs and the mirror that its package manager is set to. */
export async function debianMirror(): Promise<{ readonly mirror: string; readonly suite: string }> {
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  if (suite === undefined) throw new Error('/etc/os-release has no VERSION_CODENAME: this is not Debian');
  const files = ['/etc/apt/sources.list'];
  const directory = '/etc/apt/sources.list.d';
  if (existsSync(directory)) files.push(...(await readdir(directory)).sort().map((name) => join(directory, name)));
  for (const file of files.filter((each) => existsSync(each))) {
    const text = await readFile(file, 'utf8');
    const sources = file.endsWith('.sources') ? deb822Sources(text) : oneLineSources(text);
    const found = sources.find((each) => each.suites.includes(suite) && each.components.includes('main'));
    if (found?.uri !== undefined) return { mirror: found.uri, suite };
  }
  throw new Error(`no package source for ${suite} main in ${files.join(', ')}`);
}

interface PackageSource {
  readonly uri: string | undefined;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** @see sources.list(5), deb822-style format */
function deb822Sources(text: string): PackageSource[] {
  return text.split(/\n\s*\n/).map((stanza) => {
    const lines = stanza.split('\n').filter((line) => !line.startsWith('#'));
    const field = (name: string): string[] => {
      const line = lines.find((each) => each.toLowerCase().startsWith(`${name}:`));
      return line === undefined
        ? []
        : line
            .slice(name.length + 1)
            .trim()
            .split(/\s+/);
    };
    const isBinary = field('types').includes('deb') && field('enabled')[0]?.toLowerCase() !== 'no';
    return { uri: isBinary ? field('uris')[0] : undefined, suites: field('suites'), components: field('components') };
  });
}

/** @see sources.list(5), one-line-style format */
function oneLineSources(text: string): PackageSource[] {
  return [...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/gm)].map(
    ([, uri, suite = '', rest = '']) => ({
      uri,
      suites: [suite],
      components: rest.split(/\s+/),
    }),
  );
}
