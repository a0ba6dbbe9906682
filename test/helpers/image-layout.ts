import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecked } from './run-checked.js';

/** An image in an OCI layout directory, as `skopeo` and `umoci` name it: `oci:PATH:TAG`. */
export interface ImageLayout {
  readonly path: string;
  readonly tag: string;
}

export interface ImageConfig {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly user?: string;
  readonly stopSignal?: string;
}

/** Makes an OCI layout at `path` with one layer per tar file, in this order, compressed with gzip by umoci. */
export async function makeImageLayout(
  path: string,
  tag: string,
  layers: readonly string[],
  config: ImageConfig = {},
): Promise<ImageLayout> {
  await runChecked('umoci', ['init', '--layout', path]);
  await runChecked('umoci', ['new', '--image', `${path}:${tag}`]);
  for (const layer of layers) await runChecked('umoci', ['raw', 'add-layer', '--image', `${path}:${tag}`, layer]);
  await runChecked('umoci', [
    'config',
    ...['--image', `${path}:${tag}`],
    ...(config.entrypoint ?? []).flatMap((word) => ['--config.entrypoint', word]),
    ...(config.command ?? []).flatMap((word) => ['--config.cmd', word]),
    ...Object.entries(config.env ?? {}).flatMap(([name, value]) => ['--config.env', `${name}=${value}`]),
    ...(config.workingDirectory === undefined ? [] : ['--config.workingdir', config.workingDirectory]),
    ...(config.user === undefined ? [] : ['--config.user', config.user]),
    ...(config.stopSignal === undefined ? [] : ['--config.stopsignal', config.stopSignal]),
  ]);
  await runChecked('umoci', ['gc', '--layout', path]);
  return { path, tag };
}

/** Copies the image to a registry on loopback over plain HTTP and returns its reference there. `name` is `NAME:TAG`. */
export async function pushImage(layout: ImageLayout, host: string, name: string): Promise<string> {
  // skopeo keeps a cache in the temporary directory and a trust policy in /etc, which may be absent.
  const scratch = await mkdtemp(join(tmpdir(), 'push-'));
  try {
    await mkdir(join(scratch, 'home'));
    await runChecked(
      'skopeo',
      [
        '--insecure-policy',
        'copy',
        '--quiet',
        '--dest-tls-verify=false',
        `oci:${layout.path}:${layout.tag}`,
        `docker://${host}/${name}`,
      ],
      { env: { ...process.env, HOME: join(scratch, 'home'), TMPDIR: scratch } },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return `${host}/${name}`;
}
