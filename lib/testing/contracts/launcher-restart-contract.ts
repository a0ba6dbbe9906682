import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExitStatus } from '../../core/exit-status.js';
import { logFile } from '../../runtime/log-files.js';
import { decodeLogRecord } from '../../runtime/log-record.js';
import type { RestartPolicy, RestartRequest } from '../../runtime/restart-policy.js';
import type { LauncherContract } from './launcher-under-test.js';

interface Restarts {
  readonly request: RestartRequest;
  readonly told: string[];
  /** Resolves when so many restarts have been told. */
  readonly times: (count: number) => Promise<void>;
}

/** Lines that are whole. */
function journalOf(file: string): readonly Readonly<Record<string, unknown>>[] {
  const [, ...lines] = readFileSync(file, 'utf8').split('\n'); // the first was cut
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** What is started again, how often, and what ends that. */
export function launcherRestartContract(contract: LauncherContract): void {
  contract(
    'a failure is tried again as often as wanted, with a growing pause, and each run is told',
    async (launch, tested) => {
      const { request, told } = restartsIn(tested.directory, { policy: 'on-failure', maxRetries: 3 });
      const begun = performance.now();
      const exitFile = join(tested.directory, 'exit');
      const process = await launch('exit', ['9'], { ...quiet, restart: request, exitFile });
      assert.equal((await process.exited).exitCode, 9);
      await process.released;
      assert.ok(performance.now() - begun >= 100 + 200 + 400);
      assert.deepEqual(told, ['exit 9, 100 ms', 'start', 'exit 9, 200 ms', 'start', 'exit 9, 400 ms', 'start']);
      assert.match(readFileSync(request.restartFile, 'utf8'), /^3 0\n/);
      assert.match(readFileSync(exitFile, 'latin1'), /^9 0 0 \d+\n$/);
    },
  );

  contract('starts and ends of all runs are in the journal, each once and in order', async (launch, tested) => {
    const { request, times } = restartsIn(tested.directory, { policy: 'always', maxRetries: 0 });
    const file = join(tested.directory, 'events.jsonl');
    writeFileSync(file, '{"cut by a full disk');
    const journal = { file, subject: '"id":"it","labels":{"a":"ä\\"\\n"}' };
    const process = await launch('exit', ['9'], { ...quiet, restart: request, journal });
    assert.ok(journalOf(file).length > 0, 'the start is there when the launch has resolved');
    await times(2);
    writeFileSync(request.stopFile, ''); // in the pause: the last run is not told again
    const { finishedAt } = await process.exited;
    const events = journalOf(file);
    const actions = events.map(({ action, exitCode, signal, oomKilled }) =>
      action === 'die' ? [action, exitCode, signal, oomKilled] : [action],
    );
    const run = [['start'], ['die', 9, 0, 0]];
    assert.deepEqual(actions, [...run, ...run, ...run]);
    for (const { id, labels } of events) assert.deepEqual([id, labels], ['it', { a: 'ä"\n' }]);
    assert.ok(Number(events[0]?.['pid']) > 0);
    assert.equal(Math.floor(Number(events.at(-1)?.['finishedAt']) / 1000), finishedAt.getTime());
    for (const { time } of events) assert.ok(Math.abs(Number(time) / 1000 - Date.now()) < 60_000);
    await process.released;
  });

  contract('a success is not tried again by `on-failure`', async (launch, tested) => {
    const { request, told } = restartsIn(tested.directory, { policy: 'on-failure', maxRetries: 0 });
    const process = await launch('exit', ['0'], { ...quiet, restart: request });
    assert.equal((await process.exited).exitCode, 0);
    await process.released;
    assert.deepEqual(told, []);
  });

  contract('all runs have one log', async (launch, tested) => {
    const { request, times } = restartsIn(tested.directory, { policy: 'always', maxRetries: 0 });
    const prefix = join(tested.directory, 'log.');
    const log = { prefix, maxBytes: 2 ** 20, maxFiles: 2 };
    const process = await launch('talk', [], { ...quiet, restart: request, output: { log } });
    await times(2);
    writeFileSync(request.stopFile, '');
    await process.exited;
    await process.released;
    const path = logFile(prefix, 0n);
    const bytes = readFileSync(path);
    let text = '';
    for (
      let at = 0, next = decodeLogRecord(bytes, path, at);
      next !== undefined;
      next = decodeLogRecord(bytes, path, at)
    ) {
      if (next.record.stream === 'stdout') text += next.record.bytes.toString();
      at += next.size;
    }
    assert.equal(text, 'out\n'.repeat(3));
  });

  contract('while there is a stop file nothing is started again', async (launch, tested) => {
    const { request, told } = restartsIn(tested.directory, { policy: 'always', maxRetries: 0 });
    const process = await launch('hang', [], { ...quiet, restart: request });
    writeFileSync(request.stopFile, '');
    process.signal(9);
    assert.equal((await process.exited).signal, 'SIGKILL');
    await process.released;
    assert.deepEqual(told, []);
  });

  contract('a stop file ends a pause at once', async (launch, tested) => {
    const { request, told, times } = restartsIn(tested.directory, { policy: 'always', maxRetries: 0 });
    const exitFile = join(tested.directory, 'exit');
    const process = await launch('exit', ['3'], { ...quiet, restart: request, exitFile });
    await times(4); // the next pause lasts 1.6 s
    if (!told.includes('exit 3, 1600 ms')) await nextTold(told);
    const stopped = performance.now();
    writeFileSync(request.stopFile, '');
    assert.equal((await process.exited).exitCode, 3);
    await process.released;
    assert.ok(performance.now() - stopped < 1000);
    assert.match(readFileSync(request.restartFile, 'utf8'), /^4 0\n/);
    assert.ok(existsSync(exitFile));
  });
}

const quiet = { stdin: 'null', output: {} } as const;

function restartsIn(directory: string, policy: RestartPolicy): Restarts {
  const told: string[] = [];
  let starts = 0;
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const request: RestartRequest = {
    ...policy,
    stopFile: join(directory, 'stopped'),
    restartFile: join(directory, 'restarts'),
    onExit: ({ exitCode }: ExitStatus, delayMs) => void told.push(`exit ${exitCode}, ${delayMs} ms`),
    onStart: () => {
      told.push('start');
      starts += 1;
      for (const each of waiting) if (starts >= each.count) each.resolve();
    },
  };
  const times = (count: number): Promise<void> => new Promise((resolve) => waiting.push({ count, resolve }));
  return { request, told, times };
}

async function nextTold(told: readonly string[]): Promise<void> {
  for (const before = told.length; told.length === before; ) await new Promise((resolve) => setTimeout(resolve, 5));
}
