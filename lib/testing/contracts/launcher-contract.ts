import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decodeLogRecord } from '../../container/log-record.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { LaunchPlan, PlanOperation, PlanStage } from '../../runtime/launch-plan.js';
import type { LaunchedProcess, Launcher, LaunchRequest } from '../../runtime/launcher.js';
import { startTicksOf } from '../../util/start-ticks.js';
import type { ContractProgramName } from './launcher-programs.js';
import { launcherTerminalContract } from './launcher-terminal-contract.js';
import { textOf } from './text-of.js';

/** How a command of the contract is launched. */
export interface CommandOptions {
  readonly environment?: readonly string[];
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

/** A launcher under test. */
export interface LauncherUnderTest extends AsyncDisposable {
  readonly launcher: Launcher;
  /** An empty directory of the host, for files of the test. */
  readonly directory: string;
  /** The plan that runs a program of {@link contractPrograms} in new mount and PID namespaces. */
  plan(program: ContractProgramName, words: readonly string[], options: CommandOptions): LaunchPlan;
  /** The same for a file that is missing, or that is there without the right to execute it. */
  brokenPlan(kind: 'missing' | 'not executable'): LaunchPlan;
}

export interface LauncherFixture {
  readonly name: string;
  open(): Promise<LauncherUnderTest>;
}

/** Launches a program with pipes unless told otherwise. */
export type Launch = (
  program: ContractProgramName,
  words?: readonly string[],
  request?: Partial<Omit<LaunchRequest, 'plan' | 'terminal'>> & CommandOptions,
) => Promise<LaunchedProcess>;

export type LauncherContract = (
  title: string,
  body: (launch: Launch, tested: LauncherUnderTest) => Promise<void>,
) => void;

const base = { stdin: 'pipe', output: 'pipe', terminal: false, lifetime: 'owner', durable: false } as const;

/** What every {@link Launcher} does. */
export function launcherContract(fixture: LauncherFixture): void {
  const contract: LauncherContract = (title, body) => {
    test(title, { timeout: 60_000 }, async () => {
      await using tested = await fixture.open();
      const launch: Launch = async (program, words = [], { environment, terminal, ...request } = {}) => {
        const options = { ...(environment && { environment }), ...(terminal && { terminal }) };
        const plan = tested.plan(program, words, options);
        return tested.launcher.launch({ ...base, plan, terminal: terminal !== undefined, ...request });
      };
      const alive = setInterval(() => undefined, 1000); // a launched process alone does not keep this one going
      try {
        await body(launch, tested);
      } finally {
        clearInterval(alive);
      }
    });
  };
  describe(`launcher ${fixture.name}`, () => {
    exitContract(contract);
    streamContract(contract);
    fileContract(contract);
    abortContract(contract);
    failureContract(contract);
    launcherTerminalContract(contract);
  });
}

function exitContract(contract: LauncherContract): void {
  contract('every exit code arrives', async (launch) => {
    for (const code of [0, 1, 2, 42, 125, 126, 127, 128, 137, 254, 255]) {
      const process = await launch('exit', [String(code)]);
      const { exitCode, signal, oomKilled, finishedAt } = await process.exited;
      assert.deepEqual({ exitCode, signal, oomKilled }, { exitCode: code, signal: undefined, oomKilled: false });
      assert.ok(Math.abs(finishedAt.getTime() - Date.now()) < 60_000);
      await process.released;
    }
  });

  contract('a signal that ends the program is named, and is 128 and its number', async (launch) => {
    const process = await launch('hang');
    assert.equal(process.signal(9), true);
    const { exitCode, signal } = await process.exited;
    assert.deepEqual([exitCode, signal], [137, 'SIGKILL']);
    await process.released;
  });

  contract('a program handles its signals', async (launch) => {
    const process = await launch('polite');
    const output = textOf(process.stdout);
    await output.includes('ready\n');
    assert.equal(process.signal(15), true);
    assert.equal((await process.exited).exitCode, 7);
    assert.equal(await output.all, 'ready\ncaught\n');
    await process.released;
  });

  contract('the first process of a PID namespace ignores what it does not handle', async (launch) => {
    const process = await launch('hang');
    await textOf(process.stdout).includes('ready\n');
    process.signal(15);
    process.signal(9);
    assert.equal((await process.exited).signal, 'SIGKILL');
    await process.released;
  });

  contract('a signal to what has ended says so', async (launch) => {
    const process = await launch('exit', ['0']);
    await process.exited;
    assert.equal(process.signal(15), false);
    await process.released;
    assert.equal(process.signal(9), false);
  });

  contract('exit and release can be awaited as often as wanted', async (launch) => {
    const process = await launch('exit', ['3']);
    const letGo = process.keepAlive();
    const [first, second] = await Promise.all([process.exited, process.exited]);
    assert.deepEqual(first, second);
    assert.equal(await process.exited, first);
    await Promise.all([process.released, process.released]);
    letGo();
    letGo();
  });

  contract('many run at once', async (launch) => {
    const codes = Array.from({ length: 8 }, (_, index) => index);
    const processes = await Promise.all(codes.map((code) => launch('exit', [String(code)])));
    const exits = await Promise.all(processes.map(({ exited }) => exited));
    assert.deepEqual(
      exits.map(({ exitCode }) => exitCode),
      codes,
    );
    await Promise.all(processes.map(({ released }) => released));
  });
}

function streamContract(contract: LauncherContract): void {
  contract('stdout and stderr are two streams, and the environment arrives', async (launch) => {
    const process = await launch('talk', [], { environment: ['GREETING=grüß dich'] });
    const [stdout, stderr] = await Promise.all([textOf(process.stdout).all, textOf(process.stderr).all]);
    assert.deepEqual([stdout, stderr], ['out\ngrüß dich', 'err\n']);
    await process.released;
  });

  contract('a megabyte on each stream arrives to the byte', async (launch) => {
    const process = await launch('flood', ['1000']);
    const [stdout, stderr] = await Promise.all([textOf(process.stdout).all, textOf(process.stderr).all]);
    assert.ok(stdout === 'o'.repeat(1_000_000), `${stdout.length} bytes`);
    assert.ok(stderr === 'e'.repeat(1_000_000), `${stderr.length} bytes`);
    assert.equal((await process.exited).exitCode, 0);
    await process.released;
  });

  contract('bytes of every value pass through stdin and stdout', async (launch) => {
    const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
    const process = await launch('copy');
    const output = textOf(process.stdout);
    process.stdin?.end(bytes);
    assert.ok(Buffer.compare(await output.bytes, bytes) === 0);
    await process.released;
  });

  contract('the end of stdin is told, and output goes on after it', async (launch) => {
    const process = await launch('copy');
    const errors = textOf(process.stderr);
    const output = textOf(process.stdout);
    process.stdin?.write('first ');
    await output.includes('first ');
    process.stdin?.end('last');
    assert.deepEqual([await output.all, await errors.all], ['first last', 'end\n']);
    await process.released;
  });

  contract('without a pipe stdin is at its end at once', async (launch) => {
    const process = await launch('copy', [], { stdin: 'null' });
    assert.equal(process.stdin, undefined);
    assert.deepEqual([await textOf(process.stdout).all, await textOf(process.stderr).all], ['', 'end\n']);
    await process.released;
  });

  contract('output that is read late has not been lost', async (launch) => {
    const process = await launch('talk');
    await process.exited;
    assert.equal(await textOf(process.stdout).all, 'out\n');
    assert.equal(await textOf(process.stderr).all, 'err\n');
    await process.released;
  });
}

function fileContract(contract: LauncherContract): void {
  contract('the process file identifies the process, the exit file how it ended', async (launch, { directory }) => {
    const files = { processFile: join(directory, 'process'), exitFile: join(directory, 'exit') };
    const process = await launch('hang', [], files);
    const [pid, ticks, supervisor, startedAt] = numbersIn(files.processFile);
    assert.deepEqual([Number(pid), ticks], [process.identity.pid, process.identity.startTicks]);
    assert.equal(startTicksOf(process.identity.pid), process.identity.startTicks, 'it is alive');
    assert.ok(Number(supervisor) > 0);
    assert.ok(Math.abs(Number((startedAt ?? 0n) / 1_000_000n) - Date.now()) < 60_000);
    assert.ok(!existsSync(files.exitFile));
    process.signal(9);
    const { finishedAt } = await process.exited;
    const [code, signal, oom, at] = numbersIn(files.exitFile); // there before anybody is told
    assert.deepEqual([code, signal, oom], [137n, 9n, 0n]);
    assert.equal(Number((at ?? 0n) / 1_000_000n), finishedAt.getTime());
    await process.released;
  });

  contract('output to a log is complete when the exit is told', async (launch, { directory }) => {
    const logFile = join(directory, 'log');
    const process = await launch('talk', [], { output: { logFile }, environment: ['GREETING=hello'] });
    assert.deepEqual([process.stdout, process.stderr], [undefined, undefined]);
    await process.exited;
    assert.deepEqual(logOf(logFile), { stdout: 'out\nhello', stderr: 'err\n' });
    await process.released;
    const again = await launch('talk', [], { output: { logFile }, durable: true });
    await again.exited;
    assert.deepEqual(logOf(logFile), { stdout: 'out\nhelloout\n', stderr: 'err\nerr\n' }, 'a log is appended to');
    await again.released;
  });

  contract('a megabyte in a log is there to the byte', async (launch, { directory }) => {
    const logFile = join(directory, 'log');
    const process = await launch('flood', ['1000'], { output: { logFile } });
    await process.exited;
    const { stdout, stderr } = logOf(logFile);
    assert.ok(stdout === 'o'.repeat(1_000_000) && stderr === 'e'.repeat(1_000_000));
    await process.released;
  });
}

function abortContract(contract: LauncherContract): void {
  const reason = new Error('changed my mind');

  contract('nothing starts after an abort', async (launch, { directory }) => {
    const processFile = join(directory, 'process');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(launch('hang', [], { processFile, signal }), (error) => error === reason);
    assert.ok(!existsSync(processFile));
  });

  for (const lifetime of ['owner', 'detached'] as const) {
    contract(`an abort while it starts ends what has started (${lifetime})`, async (launch, { directory }) => {
      const controller = new AbortController();
      const processFile = join(directory, 'process');
      const launching = launch('hang', [], { processFile, lifetime, signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(launching, (error) => error === reason);
      if (existsSync(processFile)) {
        const [pid, ticks] = numbersIn(processFile);
        assert.notEqual(startTicksOf(Number(pid)), ticks, 'the process is gone');
      }
    });
  }

  contract('an abort after the start changes nothing', async (launch) => {
    const controller = new AbortController();
    const process = await launch('polite', [], { signal: controller.signal });
    await textOf(process.stdout).includes('ready\n');
    controller.abort(reason);
    process.signal(15);
    assert.equal((await process.exited).exitCode, 7);
    await process.released;
  });

  contract(
    'a launcher that was closed launches again, and lets go of nothing that runs',
    async (launch, { launcher }) => {
      const process = await launch('polite');
      const output = textOf(process.stdout);
      await output.includes('ready\n');
      await launcher.close();
      await launcher.close();
      const other = await launch('exit', ['4']);
      assert.equal((await other.exited).exitCode, 4);
      process.signal(15);
      assert.equal((await process.exited).exitCode, 7);
      await Promise.all([process.released, other.released]);
    },
  );
}

function failureContract(contract: LauncherContract): void {
  contract('a missing program and one that cannot be executed are told apart', async (_, tested) => {
    const missing = tested.launcher.launch({ ...base, plan: tested.brokenPlan('missing') });
    await assert.rejects(missing, (error) => EngineError.is(error, 'PROGRAM_NOT_FOUND') && error.data.exitCode === 127);
    const closed = tested.launcher.launch({ ...base, plan: tested.brokenPlan('not executable') });
    await assert.rejects(
      closed,
      (error) => EngineError.is(error, 'PROGRAM_NOT_EXECUTABLE') && error.data.exitCode === 126,
    );
  });

  for (const stage of ['prepare', 'parent', 'child'] as const) {
    contract(`a failure of stage ${stage} names what failed, and is cleaned up after`, async (_, tested) => {
      const made = join(tested.directory, 'made');
      const plan = withOperations(tested.plan('hang', [], {}), made, stage);
      const files = { processFile: join(tested.directory, 'process'), exitFile: join(tested.directory, 'exit') };
      await assert.rejects(tested.launcher.launch({ ...base, ...files, plan }), (error) => {
        assert.ok(EngineError.is(error, 'LAUNCH_FAILED'), String(error));
        const { operation, errno, operand } = error.data;
        assert.deepEqual(
          { stage: error.data.stage, operation, errno, operand },
          { stage, operation: 'write-file: open', errno: 'ENOENT', operand: missingFile },
        );
        return true;
      });
      assert.ok(!existsSync(made), 'stage cleanup was executed');
      assert.ok(!existsSync(files.processFile) && !existsSync(files.exitFile));
    });
  }

  contract(
    'what stage prepare has made is there while the program runs, and gone when it is released',
    async (_, tested) => {
      const made = join(tested.directory, 'made');
      const process = await tested.launcher.launch({
        ...base,
        plan: withOperations(tested.plan('hang', [], {}), made),
      });
      assert.ok(existsSync(made));
      process.signal(9);
      await process.released;
      assert.ok(!existsSync(made));
    },
  );

  contract(
    'a failing clean-up is told by the release, skips nothing, and leaves the exit as it was',
    async (_, tested) => {
      const made = join(tested.directory, 'made');
      const plan = withOperations(tested.plan('exit', ['6'], {}), made, 'cleanup');
      const process = await tested.launcher.launch({ ...base, plan });
      assert.equal((await process.exited).exitCode, 6);
      await assert.rejects(
        process.released,
        (error) =>
          EngineError.is(error, 'LAUNCH_FAILED') && error.data.stage === 'cleanup' && error.data.errno === 'ENOENT',
      );
      assert.ok(!existsSync(made));
    },
  );
}

const missingFile = '/nonexistent/tscontainer';

/** Adds a directory that lives as long as the process, and an operation that fails in stage `failing`. */
function withOperations(plan: LaunchPlan, made: string, failing?: PlanStage): LaunchPlan {
  const failure: PlanOperation = { op: 'write-file', path: missingFile, data: '' };
  const before = (stage: PlanStage): readonly PlanOperation[] => (stage === failing ? [failure] : []);
  mkdirSync(join(made, '..'), { recursive: true });
  return {
    ...plan,
    prepare: [{ op: 'make-directory', path: made, mode: 0o700 }, ...before('prepare'), ...plan.prepare],
    parent: [...before('parent'), ...plan.parent],
    child: [...before('child'), ...plan.child],
    cleanup: [...before('cleanup'), ...plan.cleanup, { op: 'remove-directory', path: made }],
  };
}

function numbersIn(path: string): readonly bigint[] {
  return readFileSync(path, 'latin1').trim().split(' ').map(BigInt);
}

function logOf(path: string): { readonly stdout: string; readonly stderr: string } {
  const text = { stdout: '', stderr: '' };
  for (let rest = readFileSync(path); rest.length > 0; ) {
    const next = decodeLogRecord(rest, path);
    assert.ok(next !== undefined, 'no half record');
    text[next.record.stream] += next.record.bytes.toString('utf8');
    rest = rest.subarray(next.size);
  }
  return text;
}
