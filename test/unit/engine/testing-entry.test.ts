import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addMemoryImage, MemoryRegistryClient, openMemoryEngine } from 'tscontainer/testing';
import { runProgram } from '../../helpers/run-program.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Runs a module in a Node.js of its own, in which this package can be imported by its name. */
const inNode = (source: string) => runProgram(process.execPath, ['--input-type=module', '-e', source], root);

for (const entry of ['tscontainer', 'tscontainer/testing']) {
  test(`importing ${entry} has no effect: nothing is printed, opened, kept alive or loaded into the process`, async () => {
    const { exitCode, stdout, stderr } = await inNode(`
      import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
      const target = (fd) => { try { return [readlinkSync('/proc/self/fd/' + fd)]; } catch { return []; } };
      // node:test itself opens /dev/null.
      const files = () => readdirSync('/proc/self/fd').flatMap(target).filter((path) => path !== '/dev/null').length;
      const listeners = () => process.eventNames().map((name) => [String(name), process.listenerCount(name)]);
      const state = () => JSON.stringify([files(), listeners(), Object.keys(globalThis)]);
      const before = state();
      await import('${entry}');
      // The loader still closes the files of the modules.
      while (process.getActiveResourcesInfo().includes('CloseReq')) await new Promise((resolve) => setImmediate(resolve));
      if (before !== state()) console.log(before, state());
      if (readFileSync('/proc/self/maps', 'utf8').includes('koffi')) console.log('koffi is loaded');
      console.log(process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap' && name !== 'TTYWrap').join());
    `);
    assert.deepEqual([exitCode, stdout.trim(), stderr], [0, '', '']);
  });
}

test('a program tests itself on the engine of fakes', async (context) => {
  const registry = new MemoryRegistryClient();
  addMemoryImage(registry, 'example.org/greeter:1', { config: { Entrypoint: ['greet'], Env: ['WHO=world'] } });
  await using engine = await openMemoryEngine({
    root: await scopedDirectory(context),
    registry,
    programs: {
      greet: ({ stdout, environment }) => {
        stdout.write(`hello ${environment['WHO']}\n`);
        return 0;
      },
    },
  });
  const image = await engine.images.pull('example.org/greeter:1');
  assert.equal((await engine.run(image.id)).stdout, 'hello world\n');
  assert.equal((await engine.run('example.org/greeter:1', [], { env: { WHO: 'you' } })).stdout, 'hello you\n');
});
