import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Container, type ContainerOptions, EngineError, serveRegistry } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { listArchive } from '../../helpers/list-archive.js';
import { readAll } from '../../helpers/read-all.js';

for (const layerStore of ['overlay', 'erofs', 'copy'] as const) {
  describe(`files of a container, on ${layerStore}`, () => {
    let lab: EngineLab;
    let image: string;
    let host: string;

    before(async () => {
      lab = await openEngineLab({ layerStore });
      image = lab.image([
        { name: 'etc/passwd', content: 'root:x:0:0::/root:/bin/sh\n' },
        { name: 'data/', type: '5', mode: 0o755 },
        { name: 'data/kept', content: 'kept' },
        { name: 'data/changed', content: 'before' },
        { name: 'data/gone', content: 'gone' },
        { name: 'data/old/', type: '5', mode: 0o755 },
        { name: 'data/old/file', content: 'old' },
        { name: 'data/link', type: '2', link: 'kept' },
        { name: 'escape', type: '2', link: '../../../../../etc' },
        { name: 'home', type: '2', link: 'data/old' },
      ]);
      await lab.engine.images.pull(image);
      host = join(lab.directory, 'host');
      mkdirSync(join(host, 'tree', 'sub'), { recursive: true });
      writeFileSync(join(host, 'tree', 'one'), 'one', { mode: 0o640 });
      writeFileSync(join(host, 'tree', 'sub', 'two'), 'two');
      symlinkSync('one', join(host, 'tree', 'link'));
    });
    after(() => lab[Symbol.asyncDispose]());

    const start = async (options: Partial<ContainerOptions> = {}): Promise<Container> => {
      const container = await lab.engine.containers.create({
        image,
        command: ['sleep', '1000'],
        network: 'none',
        ...options,
      });
      await container.start();
      return container;
    };
    const inside = async (container: Container, script: string): Promise<string> => {
      const { stdout, stderr, exitCode } = await container.exec(['sh', '-c', script]);
      assert.deepEqual([stderr, exitCode], ['', 0]);
      return stdout;
    };
    /** What is done to a container that runs holds for one that does not, too. */
    const both = (title: string, body: (container: Container, isRunning: boolean) => Promise<void>): void => {
      for (const isRunning of [true, false]) {
        test(`${title}, ${isRunning ? 'running' : 'stopped'}`, async () => {
          await using container = await start();
          if (!isRunning) await container.stop({ timeoutMs: 0 });
          await body(container, isRunning);
        });
      }
    };
    const look = async (container: Container, isRunning: boolean, script: string): Promise<string> => {
      if (!isRunning) await container.start();
      return inside(container, script);
    };

    both('diff tells what was added, changed and deleted, and nothing else', async (container, isRunning) => {
      if (!isRunning) await container.start();
      assert.deepEqual(await container.diff(), []);
      const script = [
        'echo new > /data/new; echo after > /data/changed; rm /data/gone',
        'rm -r /data/old; mkdir /data/old; echo x > /data/old/other',
        'mkdir -p /made/deep; ln /data/kept /data/hard; chmod 700 /bin; mkfifo /made/pipe; touch /tmp',
      ].join('; ');
      await inside(container, script);
      if (!isRunning) await container.stop({ timeoutMs: 0 });
      const changes = (await container.diff()).map(({ kind, path }) => `${kind} ${path}`).sort();
      const expected = [
        'changed /bin',
        'changed /data',
        'changed /data/changed',
        'deleted /data/gone',
        'added /data/hard',
        'added /data/new',
        'changed /data/old',
        'deleted /data/old/file',
        'added /data/old/other',
        'added /made',
        'added /made/deep',
        'added /made/pipe',
        'changed /tmp',
      ];
      // A second name copies the file up in an overlay.
      const seen = changes.filter((each) => each !== 'changed /data/kept');
      assert.deepEqual(seen, expected.sort());
    });

    both('copyTo takes files, directories, contents and archives', async (container, isRunning) => {
      await container.copyTo('/data/text', { content: 'héllo', mode: 0o600, uid: 12, gid: 3_000_000 });
      await container.copyTo('/data', join(host, 'tree'));
      await container.copyTo('/fresh', join(host, 'tree'));
      await container.copyTo('/data/old', `${host}/tree/.`);
      await container.copyTo('/renamed', join(host, 'tree', 'one'));
      await container.copyTo('/', { archive: container.copyFrom('/data/kept') });
      const script = [
        'stat -c "%a %u %g %s" /data/text; cat /data/text',
        'echo; find /fresh /data/tree | sort; cat /data/tree/sub/two; readlink /fresh/link; stat -c "%a %u" /fresh/one',
        'ls /data/old; cat /renamed; cat /kept',
      ].join('; ');
      assert.deepEqual((await look(container, isRunning, script)).split('\n'), [
        '600 12 3000000 6',
        'héllo',
        ...['/data/tree', '/data/tree/link', '/data/tree/one', '/data/tree/sub', '/data/tree/sub/two'],
        ...['/fresh', '/fresh/link', '/fresh/one', '/fresh/sub', '/fresh/sub/two'],
        'twoone',
        '640 0',
        ...['file', 'link', 'one', 'sub'],
        'onekept',
      ]);
    });

    both('copyFrom gives archives, and writes to the host', async (container) => {
      assert.deepEqual(await listArchive(container.copyFrom('/data')), [
        'data/',
        'data/changed',
        'data/gone',
        'data/kept',
        'data/link -> kept',
        'data/old/',
        'data/old/file',
      ]);
      assert.deepEqual(await listArchive(container.copyFrom('/data/.')), [
        'changed',
        'gone',
        'kept',
        'link -> kept',
        'old/',
        'old/file',
      ]);
      assert.deepEqual(await listArchive(container.copyFrom('/home')), ['home -> data/old']);
      assert.deepEqual(await listArchive(container.copyFrom('/home', { followLink: true })), ['home/', 'home/file']);
      assert.deepEqual(await listArchive(container.copyFrom('/home/file')), ['file']);
      const out = join(lab.directory, 'out');
      mkdirSync(out);
      await container.copyFrom('/data', out);
      await container.copyFrom('/data/kept', join(out, 'renamed'));
      await container.copyFrom('/data/old', join(out, 'fresh'));
      await container.copyFrom('/data/link', out);
      assert.equal(readFileSync(join(out, 'data', 'old', 'file'), 'utf8'), 'old');
      assert.equal(readFileSync(join(out, 'renamed'), 'utf8'), 'kept');
      assert.equal(readFileSync(join(out, 'fresh', 'file'), 'utf8'), 'old');
      assert.equal(readlinkSync(join(out, 'link')), 'kept');
      assert.equal(statSync(join(out, 'renamed')).uid, process.getuid?.());
      await rm(out, { recursive: true });
    });

    both('links lead to places in the container', async (container, isRunning) => {
      await container.copyTo('/escape/mine', { content: 'inside' });
      assert.equal(lstatSync('/etc/mine', { throwIfNoEntry: false }), undefined);
      assert.equal(await look(container, isRunning, 'cat /etc/mine'), 'inside');
      assert.deepEqual(await listArchive(container.copyFrom('/escape/passwd')), ['passwd']);
      assert.equal((await readAll(container.copyFrom('/escape/passwd'))).includes('root:x:0:0::/root:/bin/sh\n'), true);
      assert.deepEqual(await listArchive(container.copyFrom('../../etc/passwd')), ['passwd']);
    });

    for (const isRunning of [true, false]) {
      test(`what is mounted is reached, ${isRunning ? 'running' : 'stopped'}`, async () => {
        const shared = join(lab.directory, `shared-${isRunning}`);
        mkdirSync(shared);
        writeFileSync(join(shared, 'there'), 'shared');
        await using container = await start({ mounts: [{ type: 'bind', source: shared, target: '/data/mounted' }] });
        if (!isRunning) await container.stop({ timeoutMs: 0 });
        await container.copyTo('/data/mounted/new', { content: 'new' });
        assert.equal(readFileSync(join(shared, 'new'), 'utf8'), 'new');
        const names = await listArchive(container.copyFrom('/data/mounted'));
        assert.deepEqual(names, ['mounted/', 'mounted/new', 'mounted/there']);
        assert.ok(!(await listArchive(container.export())).includes('data/mounted/there'));
      });
    }

    both('what cannot be copied is refused with its reason, and leaves nothing', async (container) => {
      const refused = async (work: Promise<unknown>, code: string): Promise<void> => {
        await assert.rejects(work, (error) => {
          assert.ok(error instanceof EngineError, String(error));
          assert.equal(error.code, code, error.message);
          return true;
        });
      };
      const drain = (path: string): Promise<unknown> => readAll(container.copyFrom(path));
      await refused(drain('/missing'), 'NO_SUCH_PATH');
      await refused(drain('/data/kept/below'), 'NO_SUCH_PATH');
      await refused(container.stat('/missing'), 'NO_SUCH_PATH');
      await refused(container.copyTo('/missing/file', { content: '' }), 'NO_SUCH_PATH');
      await refused(container.copyTo('/data', { content: '' }), 'PATH_CONFLICT');
      await refused(container.copyTo('/data/kept', join(host, 'tree')), 'PATH_CONFLICT');
      await refused(container.copyTo('/new/', join(host, 'tree', 'one')), 'NO_SUCH_PATH');
      await refused(container.copyTo('/data', join(host, 'none')), 'INVALID_OPTION');
      await refused(
        container.copyTo('/data', { archive: archiveOf('no archive at all'.padEnd(600)) }),
        'INVALID_ARCHIVE',
      );
      await refused(container.copyFrom('/data/kept', join(host, 'missing', 'file')), 'INVALID_OPTION');
      await refused(container.copyFrom('/data', join(host, 'tree', 'one')), 'PATH_CONFLICT');
      assert.deepEqual(await container.diff(), []);
      assert.deepEqual((await readdir(host)).sort(), ['tree']);
    });

    test('stat tells what is at a path', async () => {
      await using container = await start();
      const { type, mode, size } = await container.stat('/data/kept');
      assert.deepEqual([type, mode, size], ['file', 0o644, 4]);
      assert.deepEqual((await container.stat('home')).target, 'data/old');
      assert.equal((await container.stat('/')).type, 'directory');
    });

    test('export is the whole root, and makes an image again', async () => {
      await using container = await start();
      await inside(container, 'echo mine > /made; rm /data/gone; ln /data/kept /data/hard');
      const imported = await lab.engine.images.import(container.export());
      const { stdout } = await lab.engine.run(imported.id, ['sh', '-c', 'cat /made; ls /data; stat -c %h /data/hard'], {
        network: 'none',
      });
      assert.deepEqual(stdout.split('\n'), ['mine', 'changed', 'hard', 'kept', 'link', 'old', '2', '']);
      await lab.engine.images.remove(imported.id, { force: true });
    });

    for (const isZipped of [false, true]) {
      test(`commit makes an image of it, ${isZipped ? 'compressed' : 'as it is'}, which is pushed, pulled elsewhere and run`, async () => {
        await using container = await start({ env: { A: '1' }, labels: { l: 'v' }, workingDir: '/data' });
        await inside(
          container,
          'adduser -D -u 1234 eve 2>/dev/null || echo "eve:x:1234:1234::/home/eve:/bin/sh" >> /etc/passwd; rm -r old; mkdir old; echo n > old/new; rm gone',
        );
        await using registry = await serveRegistry({ directory: join(lab.directory, 'registry') });
        const name = `${registry.host}/lab/committed:1`;
        const committed = await container.commit({
          name,
          author: 'somebody',
          message: 'with eve',
          compression: isZipped ? 'gzip' : 'none',
          changes: ['ENV B=2', 'CMD ["id", "-un"]', 'USER eve'],
        });
        assert.equal(container.status, 'running');
        assert.deepEqual(committed.names, [name]);
        const below = await lab.engine.images.get(image);
        assert.deepEqual(committed.layers.slice(0, -1), below.layers);
        const [entry] = (await lab.engine.images.history(committed.id)).filter(
          ({ comment, author }) => comment === 'with eve' && author === 'somebody',
        );
        assert.ok(entry !== undefined);
        await lab.engine.images.push(name);
        await using elsewhere = await openEngineLab({ layerStore });
        const result = await elsewhere.engine.run(name, undefined, { network: 'none' });
        assert.deepEqual([result.stdout, result.exitCode], ['eve\n', 0]);
        const { stdout } = await elsewhere.engine.run(name, ['sh', '-c', 'echo $A $B; pwd; ls /data /data/old'], {
          network: 'none',
        });
        assert.equal(stdout, '1 2\n/data\n/data:\nchanged\nkept\nlink\nold\n\n/data/old:\nnew\n');
        await lab.engine.images.remove(committed.id, { force: true });
      });
    }
  });
}

async function* archiveOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
