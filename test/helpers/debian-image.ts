import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { debianRoot } from './debian-root.js';
import { addEdgeLayer } from './edge-layer.js';
import { type ImageLayout, makeImageLayout } from './image-layout.js';
import { listTree, tarDirectory, tarPaths } from './pack-tree.js';
import { runChecked } from './run-checked.js';
import { cached } from './test-cache.js';

/** What the web server of {@link debianNginxImage} answers to `GET /`. */
export const nginxPage = '<!doctype html><title>tscontainer</title><p>served from a container\n';

/**
 * Debian with nginx as an image of eight layers: the base system in four, nginx, its configuration, a layer that deletes
 * (white-outs and an opaque directory) and a layer of everything unusual that a layer may hold. nginx is the entry point,
 * listens on port 80 and logs to /dev/stdout and /dev/stderr.
 */
export async function debianNginxImage(): Promise<ImageLayout> {
  const directory = await cached('debian-nginx-image-2', makeNginxImage);
  return { path: join(directory, 'layout'), tag: 'latest' };
}

async function makeNginxImage(made: string): Promise<void> {
  const root = await debianRoot();
  const all = (await listTree(root)).filter((path) => !path.startsWith('./var/lib/apt/lists/'));
  const nginx = await nginxPaths(root);
  const base = all.filter((path) => !nginx.has(path));
  const below = (folder: string) => (path: string) => path === folder || path.startsWith(`${folder}/`);
  const [isLibrary, isShare, isUsr] = [below('./usr/lib'), below('./usr/share'), below('./usr')];
  const layer = (name: string): string => join(made, `${name}.tar`);

  await tarPaths(
    root,
    base.filter((path) => !isUsr(path)),
    layer('system'),
  );
  await tarPaths(root, base.filter(isLibrary), layer('libraries'));
  await tarPaths(root, base.filter(isShare), layer('share'));
  await tarPaths(
    root,
    base.filter((path) => isUsr(path) && !isLibrary(path) && !isShare(path)),
    layer('programs'),
  );
  await tarPaths(
    root,
    all.filter((path) => nginx.has(path)),
    layer('nginx'),
  );
  await tarFiles(made, configuration, layer('configuration'));
  await tarFiles(made, deletions, layer('deletions'));
  await addEdgeLayer(made, join(root, 'etc/debian_version'), layer('edge'));

  const names = ['system', 'libraries', 'share', 'programs', 'nginx', 'configuration', 'deletions', 'edge'];
  await makeImageLayout(join(made, 'layout'), 'latest', names.map(layer), {
    entrypoint: ['nginx', '-g', 'daemon off;'],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    stopSignal: 'SIGQUIT',
  });
  for (const name of names) await rm(layer(name));
}

/** Paths of the nginx packages, as the package manager lists them. */
async function nginxPaths(root: string): Promise<Set<string>> {
  const packages = await runChecked('sh', ['-c', 'cat var/lib/dpkg/info/*nginx*.list'], { cwd: root });
  const base = await runChecked('sh', ['-c', 'ls var/lib/dpkg/info/*.list | grep -v nginx | xargs cat'], { cwd: root });
  const shared = new Set(base.split('\n'));
  const own = packages.split('\n').filter((path) => path.startsWith('/') && !shared.has(path));
  return new Set(own.map((path) => `.${path}`));
}

/** Text is a file, an object with `link` is a symbolic link. */
type Files = Readonly<Record<string, string | { readonly link: string }>>;

const configuration: Files = {
  'etc/nginx/sites-enabled/default': 'server { listen 80 default_server; root /var/www/html; index index.html; }\n',
  'var/www/html/index.html': nginxPage,
  'var/log/nginx/access.log': { link: '/dev/stdout' },
  'var/log/nginx/error.log': { link: '/dev/stderr' },
};

const deletions: Files = {
  'usr/share/.wh.man': '',
  'usr/share/doc/nginx-common/.wh.copyright': '',
  'var/cache/.wh.debconf': '',
  'etc/nginx/sites-available/.wh..wh..opq': '',
  'etc/nginx/sites-available/only': '# what the layer below had here is gone\n',
};

async function tarFiles(made: string, files: Files, tar: string): Promise<void> {
  const staging = join(made, 'staging');
  await mkdir(staging);
  for (const [path, content] of Object.entries(files)) {
    const target = join(staging, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    if (typeof content === 'string') await writeFile(target, content, { mode: 0o644 });
    else await runChecked('ln', ['-s', content.link, target]);
  }
  await tarDirectory(staging, tar);
  await rm(staging, { recursive: true });
}
