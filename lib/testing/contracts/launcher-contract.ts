import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { logFile } from '../../runtime/log-files.js';
import { decodeLogRecord } from '../../runtime/log-record.js';
import { startTicksOf } from '../../util/start-ticks.js';
import { launcherAbortContract } from './launcher-abort-contract.js';
import { launcherAttachContract } from './launcher-attach-contract.js';
import { launcherFailureContract } from './launcher-failure-contract.js';
import { launcherRestartContract } from './launcher-restart-contract.js';
import { launcherTerminalContract } from './launcher-terminal-contract.js';
import { baseRequest, type Launch, type LauncherContract, type LauncherFixture } from './launcher-under-test.js';
import { numbersIn } from './numbers-in.js';
import { textOf } from './text-of.js';

/** What every launcher does. */
export function launcherContract(fixture: LauncherFixture): void {
  const contract: LauncherContract = (title, body) => {
    test(title, { timeout: 60_000 }, async () => {
      await using tested = await fixture.open();
      const launch: Launch = async (program, words = [], { environment, terminal, ...request } = {}) => {
        const options = { ...(environment && { environment }), ...(terminal && { terminal }) };
        const spec = tested.spec(program, words, options);
        return tested.launcher.launch({ ...baseRequest, spec, terminal: terminal !== undefined, ...request });
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
    launcherAbortContract(contract);
    launcherFailureContract(contract);
    launcherTerminalContract(contract);
    launcherAttachContract(contract);
    launcherRestartContract(contract);
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
    const [pid, ticks, supervisor, startedAt, supervisorTicks] = numbersIn(files.processFile);
    assert.deepEqual([Number(pid), ticks], [process.identity.pid, process.identity.startTicks]);
    assert.equal(startTicksOf(process.identity.pid), process.identity.startTicks, 'it is alive');
    assert.equal(startTicksOf(Number(supervisor)), supervisorTicks, 'and so is its supervisor');
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
    const log = { prefix: join(directory, 'log.'), maxBytes: 2 ** 30, maxFiles: 3 };
    const process = await launch('talk', [], { output: { log }, environment: ['GREETING=hello'] });
    assert.deepEqual([process.stdout, process.stderr], [undefined, undefined]);
    await process.exited;
    assert.deepEqual(logOf(log.prefix), { stdout: 'out\nhello', stderr: 'err\n' });
    await process.released;
    const again = await launch('talk', [], { output: { log }, durable: true });
    await again.exited;
    assert.deepEqual(logOf(log.prefix), { stdout: 'out\nhelloout\n', stderr: 'err\nerr\n' }, 'a log is appended to');
    await again.released;
  });

  contract('a megabyte in a log is there to the byte', async (launch, { directory }) => {
    const log = { prefix: join(directory, 'log.'), maxBytes: 2 ** 30, maxFiles: 3 };
    const process = await launch('flood', ['1000'], { output: { log } });
    await process.exited;
    const { stdout, stderr } = logOf(log.prefix);
    assert.ok(stdout === 'o'.repeat(1_000_000) && stderr === 'e'.repeat(1_000_000));
    await process.released;
  });
}

function logOf(prefix: string): { readonly stdout: string; readonly stderr: string } {
  const path = logFile(prefix, 0n);
  const text = { stdout: '', stderr: '', gap: '' };
  for (let rest = readFileSync(path); rest.length > 0; ) {
    const next = decodeLogRecord(rest, path);
    assert.ok(next !== undefined, 'no half record');
    text[next.record.stream] += next.record.bytes.toString('utf8');
    rest = rest.subarray(next.size);
  }
  return { stdout: text.stdout, stderr: text.stderr };
}
