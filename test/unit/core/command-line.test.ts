import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandLineSources, resolveCommandLine } from '#lib/core/command-line.js';
import { EngineError } from '#lib/core/errors/engine-error.js';

const image = { entrypoint: ['/entry', '-e'], cmd: ['serve'] };

test('entrypoint and command combine by the rules of Docker', () => {
  const cases: [CommandLineSources, string[]][] = [
    [{ image }, ['/entry', '-e', 'serve']],
    [{ image, command: ['sh'] }, ['/entry', '-e', 'sh']],
    [{ image, command: [] }, ['/entry', '-e', 'serve']],
    [{ image, entrypoint: 'sh' }, ['sh']],
    [{ image, entrypoint: 'a b' }, ['a b']],
    [{ image, entrypoint: ['sh', '-c'], command: ['id'] }, ['sh', '-c', 'id']],
    [{ image, entrypoint: '', command: ['id'] }, ['id']],
    [{ image, entrypoint: [] }, ['serve']],
    [{ image, entrypoint: [], command: ['id'] }, ['id']],
    [{ image: { cmd: ['sh'] } }, ['sh']],
    [{ image: {}, command: ['id', ''] }, ['id', '']],
  ];
  for (const [sources, words] of cases) assert.deepEqual(resolveCommandLine(sources), words, JSON.stringify(sources));
});

test('a command line without a program is refused', () => {
  const wrong: CommandLineSources[] = [
    { image: {} },
    { image, entrypoint: '' },
    { image: { entrypoint: ['/entry'] }, entrypoint: [] },
    { image: {}, command: [''] },
    { image, entrypoint: ['', 'x'] },
    { image: {}, command: ['a\0b'] },
  ];
  for (const sources of wrong) {
    assert.throws(
      () => resolveCommandLine(sources),
      (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'command',
      JSON.stringify(sources),
    );
  }
});
