import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MemoryCheckpointer } from '#lib/runtime/memory/memory-checkpointer.js';
import { openMemoryLab } from '../helpers/memory-lab.js';
import { rejection } from '../helpers/rejection.js';

const honest = {
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...{ tcpEstablished: false, fileLocks: false, mounts: [] },
  outside: { mounts: ['/etc/hosts', '/mnt/data'], streams: [{ fd: 1, name: 'pipe:[1]' }] },
};
const outside = (part: object): object => ({ ...honest, outside: { ...honest.outside, ...part } });

describe('what is written in a checkpoint', () => {
  const attacks: Readonly<Record<string, object>> = {
    'a mount that no option has made': outside({ mounts: ['/host'] }),
    'a source of the host with a mount': outside({ mounts: ['/etc/hosts]:/etc/shadow'] }),
    'a descriptor beyond the standard streams': outside({ streams: [{ fd: 3, name: 'pipe:[1]' }] }),
    'an option in place of a stream': outside({ streams: [{ fd: 1, name: 'file[1:1] --action-script' }] }),
    'a path in place of a stream': outside({ streams: [{ fd: 1, name: 'etc/shadow' }] }),
    'another version': { ...honest, version: 2 },
  };
  for (const [attack, record] of Object.entries(attacks)) {
    test(`is refused: ${attack}`, async (context) => {
      const { checkpointer, container } = await prepared(context, record);
      await rejection(container.restore(), 'CORRUPT_RECORD');
      assert.deepEqual([checkpointer.restores.length, container.status], [0, 'created']);
    });
  }

  test('names that climb out of the directory of checkpoints are refused', async (context) => {
    const { container } = await prepared(context, honest);
    for (const checkpoint of ['../checkpoints/checkpoint', '..', '.', '/', 'a/b', '']) {
      await rejection(container.restore({ checkpoint }), 'INVALID_OPTION');
      await rejection(container.checkpoints.remove(checkpoint), 'INVALID_OPTION');
    }
  });

  test('decides no path of the host: those are of the options of the container', async (context) => {
    const { checkpointer, container } = await prepared(context, { ...honest, sources: { '/mnt/data': '/etc' } });
    await rejection(container.restore(), 'PROGRAM_NOT_FOUND'); // the launcher of this lab restores nothing
    const sources = checkpointer.restores[0]?.sources;
    assert.equal(sources?.get('/mnt/data'), '/usr');
    assert.match(sources?.get('/etc/hosts') ?? '', /\/containers\/[0-9a-f]{64}\/hosts$/);
  });
});

async function prepared(context: Parameters<typeof openMemoryLab>[0], record: object) {
  const checkpointer = new MemoryCheckpointer({ dump: () => undefined });
  const lab = await openMemoryLab(context, { checkpointer });
  const container = await lab.create(['hang'], { mounts: [{ type: 'bind', source: '/usr', target: '/mnt/data' }] });
  const directory = join(lab.root, 'containers', container.id, 'checkpoints', 'checkpoint');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'checkpoint.json'), JSON.stringify(record));
  return { checkpointer, container };
}
