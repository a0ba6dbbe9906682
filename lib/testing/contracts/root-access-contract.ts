import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ChangedRoot, RootAccess, RootView } from '../../layers/root-access.js';

/** A root that exists and that nobody has changed. */
export interface RootAccessUnderTest extends AsyncDisposable {
  readonly access: RootAccess;
  readonly view: RootView;
  readonly changed: ChangedRoot;
}

/** What every {@link RootAccess} does. */
export function rootAccessContract(fixture: { readonly name: string; open(): Promise<RootAccessUnderTest> }): void {
  const contract = (title: string, body: (tested: RootAccessUnderTest) => Promise<void>): void => {
    test(title, async () => {
      await using tested = await fixture.open();
      await body(tested);
    });
  };
  const isMissing = (error: unknown): boolean =>
    EngineError.is(error, 'NO_SUCH_PATH') && error.data.path === '/missing/file';
  const missing = { path: '/missing/file', name: 'file', follow: false };

  describe(`files in roots: ${fixture.name}`, () => {
    contract('the root is a directory', async ({ access, view }) => {
      const { type, target } = await access.stat(view, { path: '/', follow: true });
      assert.deepEqual([type, target], ['directory', undefined]);
    });

    contract('what is packed is a whole archive, and is taken in again', async ({ access, view }) => {
      const packed = await sizeOf(access.pack(view, { path: '/', name: '', follow: false }));
      assert.ok(packed >= 1024 && packed % 512 === 0, `${packed} bytes`);
      await access.copyIn(view, { path: '/', archive: access.pack(view, { path: '/', name: '', follow: false }) });
    });

    contract('a path that is not there is told, whatever is wanted of it', async ({ access, view }) => {
      await assert.rejects(sizeOf(access.pack(view, missing)), isMissing);
      await assert.rejects(access.stat(view, missing), isMissing);
      await assert.rejects(access.copyIn(view, { ...missing, archive: emptyArchive() }), isMissing);
    });

    contract('nothing has changed', async ({ access, changed }) => {
      assert.deepEqual(await access.changes(changed, {}), []);
      assert.equal((await sizeOf(access.packChanges(changed, {}))) % 512, 0);
    });

    contract('a reader that stops ends the work', async ({ access, view }) => {
      for await (const _ of access.pack(view, { path: '/', name: '', follow: false })) break;
    });
  });
}

async function sizeOf(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of stream) size += chunk.byteLength;
  return size;
}

async function* emptyArchive(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1024);
}
