import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { Engine } from 'tscontainer';
import { busyboxRoot } from '../../helpers/busybox-image.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { openPodmanLab } from '../../helpers/podman-lab.js';
import { runChecked } from '../../helpers/run-checked.js';

/** skopeo keeps a cache in the temporary directory and a trust policy in /etc, which may be absent. */
async function skopeo(lab: EngineLab, ...words: readonly string[]): Promise<string> {
  const scratch = join(lab.directory, 'skopeo');
  await mkdir(scratch, { recursive: true });
  const env = { ...process.env, HOME: scratch, TMPDIR: scratch };
  return runChecked('skopeo', ['--insecure-policy', ...words], { env });
}

/** An image of two layers, and its name here. */
async function pulled(lab: EngineLab, name: string): Promise<{ readonly id: string; readonly name: string }> {
  const reference = lab.image([{ name: 'content', content: name }], { Cmd: ['cat', '/content'], Env: ['A=1'] });
  await lab.engine.images.pull(reference);
  const image = await lab.engine.images.tag(reference, name);
  await lab.engine.images.untag(reference);
  return { id: image.id, name };
}

/** Another engine, without any image. */
async function emptyEngine(lab: EngineLab): Promise<Engine> {
  return Engine.open({ root: join(lab.directory, 'root-2'), runRoot: join(lab.directory, 'run-2') });
}

async function configIn(path: string): Promise<string> {
  const { config } = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8'));
  return config.digest;
}

describe('what is saved here', () => {
  test('as an archive of Docker is read by skopeo, and by podman with all its names', async (context) => {
    await using lab = await openEngineLab();
    const [one, two] = [await pulled(lab, 'one:1'), await pulled(lab, 'two:2')];
    const file = join(lab.directory, 'images.tar');
    await lab.engine.images.save(['one:1', 'two:2'], file);
    await skopeo(lab, 'copy', `docker-archive:${file}:two:2`, `dir:${join(lab.directory, 'copy')}`);
    assert.equal(await configIn(join(lab.directory, 'copy')), two.id);

    const { podman, group } = await openPodmanLab(context);
    const loaded = await podman('load', '--quiet', '--input', file);
    assert.equal(loaded.exitCode, 0, loaded.stderr);
    const inspected = await podman('image', 'inspect', 'one:1', 'two:2');
    const images = JSON.parse(inspected.stdout) as { Id: string; RepoTags: string[]; Config: { Env: string[] } }[];
    assert.deepEqual(
      images.map((each) => [`sha256:${each.Id}`, each.RepoTags, each.Config.Env]),
      [
        [one.id, ['docker.io/library/one:1'], ['A=1']],
        [two.id, ['docker.io/library/two:2'], ['A=1']],
      ],
    );
    const run = await podman('run', '--rm', '--network', 'none', '--cgroup-parent', group, 'two:2');
    assert.equal(run.stdout, 'two:2', run.stderr);
  });

  test('as an archive of OCI is read by skopeo and podman', async (context) => {
    await using lab = await openEngineLab();
    const { id } = await pulled(lab, 'quay.io/team/app:1');
    const file = join(lab.directory, 'image.tar');
    await lab.engine.images.save(id, file, { format: 'oci-archive' });
    await skopeo(lab, 'copy', `oci-archive:${file}:quay.io/team/app:1`, `dir:${join(lab.directory, 'copy')}`);
    assert.equal(await configIn(join(lab.directory, 'copy')), id);
    const { podman } = await openPodmanLab(context);
    const loaded = await podman('load', '--quiet', '--input', file);
    assert.equal(loaded.exitCode, 0, loaded.stderr);
    const inspected = await podman('image', 'inspect', '--format', '{{.Id}} {{.RepoTags}}', 'quay.io/team/app:1');
    assert.equal(inspected.stdout.trim(), `${id.slice(7)} [quay.io/team/app:1]`);
  });

  test('as a directory is an OCI layout to umoci and skopeo, and further images are added to it', async () => {
    await using lab = await openEngineLab();
    await pulled(lab, 'one:1');
    const two = await pulled(lab, 'two:2');
    const directory = join(lab.directory, 'layout');
    await lab.engine.images.save('one:1', directory, { format: 'oci-layout' });
    await lab.engine.images.save('two:2', directory, { format: 'oci-layout' });
    await lab.engine.images.tag('two:2', 'one:1');
    await lab.engine.images.save(['one:1', 'one:1'], directory, { format: 'oci-layout' });
    const tags = (await runChecked('umoci', ['list', '--layout', directory])).trim().split('\n');
    assert.deepEqual(tags.sort(), ['docker.io/library/one:1', 'docker.io/library/two:2']);
    await skopeo(lab, 'copy', `oci:${directory}:docker.io/library/one:1`, `dir:${join(lab.directory, 'copy')}`);
    assert.equal(await configIn(join(lab.directory, 'copy')), two.id);
    // umoci takes tags without a slash only on its command line.
    await skopeo(lab, 'copy', `oci:${directory}:docker.io/library/two:2`, `oci:${join(lab.directory, 'short')}:two`);
    const bundle = join(lab.directory, 'bundle');
    await runChecked('umoci', ['unpack', '--image', `${join(lab.directory, 'short')}:two`, bundle]);
    assert.equal(await readFile(join(bundle, 'rootfs/content'), 'utf8'), 'two:2');
  });
});

describe('what is loaded here', () => {
  const kinds = ['docker-archive', 'oci-archive'] as const;
  for (const kind of kinds) {
    test(`from an ${kind} of skopeo, plain or compressed, file or stream, is the same image and runs`, async () => {
      await using lab = await openEngineLab();
      const { id } = await pulled(lab, 'app:1');
      const layout = join(lab.directory, 'layout');
      await lab.engine.images.save('app:1', layout, { format: 'oci-layout' });
      const file = join(lab.directory, 'archive.tar');
      const target = `${kind}:${file}:docker.io/library/app:1`;
      await skopeo(lab, 'copy', `oci:${layout}:docker.io/library/app:1`, target);
      await runChecked('gzip', ['--keep', file]);
      await runChecked('zstd', ['-q', file]);
      for (const source of [file, `${file}.gz`, createReadStream(`${file}.zst`), createReadStream(file)]) {
        await using engine = await emptyEngine(lab);
        const [image, ...more] = await engine.images.load(source);
        assert.deepEqual([image?.id, image?.names, more], [id, ['app:1'], []]);
        assert.equal((await engine.run('app:1', [], { network: 'none' })).stdout, 'app:1');
        await engine.images.prune({ all: true });
      }
    });
  }

  test('from an archive of several images of podman has all of them', async (context) => {
    await using lab = await openEngineLab();
    const [one, two] = [await pulled(lab, 'one:1'), await pulled(lab, 'two:2')];
    const file = join(lab.directory, 'images.tar');
    await lab.engine.images.save(['one:1', 'two:2'], file);
    const { podman } = await openPodmanLab(context);
    assert.equal((await podman('load', '--quiet', '--input', file)).exitCode, 0);
    const theirs = join(lab.directory, 'podman.tar');
    const saved = await podman('save', '--quiet', '--multi-image-archive', '--output', theirs, 'one:1', 'two:2');
    assert.equal(saved.exitCode, 0, saved.stderr);
    await using engine = await emptyEngine(lab);
    const images = await engine.images.load(theirs);
    assert.deepEqual(
      images.map((image) => [image.id, image.names]),
      [
        [one.id, ['one:1']],
        [two.id, ['two:2']],
      ],
    );
  });

  test('from the layout directory of umoci has the name that it is given', async () => {
    await using lab = await openEngineLab();
    const layout = join(lab.directory, 'layout');
    await runChecked('umoci', ['init', '--layout', layout]);
    await runChecked('umoci', ['new', '--image', `${layout}:latest`]);
    const tar = join(lab.directory, 'layer.tar');
    await mkdir(join(lab.directory, 'tree'));
    await runChecked('cp', ['/etc/hostname', join(lab.directory, 'tree/file')]);
    await runChecked('tar', ['-C', join(lab.directory, 'tree'), '-cf', tar, '.']);
    await runChecked('umoci', ['raw', 'add-layer', '--image', `${layout}:latest`, tar]);
    const [unnamed] = await lab.engine.images.load(layout);
    assert.deepEqual(unnamed?.names, []);
    const [image] = await lab.engine.images.load(layout, { name: 'from-umoci' });
    assert.deepEqual([image?.id, image?.names], [unnamed?.id, ['from-umoci:latest']]);
  });

  test('is what another engine has saved, to the byte, through a pipe', async () => {
    await using lab = await openEngineLab();
    const { id } = await pulled(lab, 'app:1');
    await using engine = await emptyEngine(lab);
    const pipe = new PassThrough();
    const [, [image]] = await Promise.all([lab.engine.images.save('app:1', pipe), engine.images.load(pipe)]);
    assert.equal(image?.id, id);
    const blobs = (root: string): Promise<string[]> => readdir(join(lab.directory, root, 'content/blobs/sha256'));
    const theirs = new Set(await blobs('root-2'));
    assert.ok((await blobs('root')).every((blob) => theirs.has(blob)));
    assert.equal((await engine.run(id, [], { network: 'none' })).stdout, 'app:1');
  });
});

test('an image that is imported from a root file system runs with its changes, as podman shows it', async (context) => {
  await using lab = await openEngineLab();
  const tar = join(lab.directory, 'root.tar');
  await runChecked('tar', ['-C', await busyboxRoot(), '-cf', tar, '.']);
  await runChecked('gzip', ['--keep', tar]);
  const changes = ['CMD ["sh", "-c", "echo $A in $PWD"]', 'ENV A=hello', 'WORKDIR /tmp', 'LABEL x=y', 'EXPOSE 80'];
  for (const source of [tar, `${tar}.gz`, createReadStream(tar)]) {
    const image = await lab.engine.images.import(source, { name: 'mine', changes, message: 'from a tar' });
    assert.equal((await lab.engine.run('mine', [], { network: 'none' })).stdout, 'hello in /tmp\n');
    const [entry] = await lab.engine.images.history(image.id);
    assert.deepEqual([entry?.comment, entry?.tags], ['from a tar', ['mine:latest']]);
  }
  const file = join(lab.directory, 'mine.tar');
  await lab.engine.images.save('mine', file);
  const { podman } = await openPodmanLab(context);
  assert.equal((await podman('load', '--quiet', '--input', file)).exitCode, 0);
  const format = '{{.Config.Labels}} {{.Config.ExposedPorts}} {{.Config.WorkingDir}}';
  const { stdout } = await podman('image', 'inspect', '--format', format, 'mine');
  assert.equal(stdout.trim(), 'map[x:y] map[80/tcp:{}] /tmp');
});
