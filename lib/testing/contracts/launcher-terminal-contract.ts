import assert from 'node:assert/strict';
import type { LauncherContract } from './launcher-under-test.js';
import { textOf } from './text-of.js';

/** What every {@link Launcher} does with a terminal. */
export function launcherTerminalContract(contract: LauncherContract): void {
  const terminal = { columns: 81, rows: 23 };

  contract('a terminal has its size from the start, and tells its program of a new one', async (launch) => {
    const process = await launch('terminal', [], { terminal });
    assert.equal(process.stderr, undefined);
    const output = textOf(process.stdout);
    await output.includes('23 81');
    process.resize(132, 50);
    await output.includes('50 132');
    assert.equal((await process.exited).exitCode, 5);
    await process.released;
  });

  contract('what is typed arrives, and Ctrl-D is the end of file', async (launch) => {
    const process = await launch('lines', [], { terminal });
    const output = textOf(process.stdout);
    process.stdin?.write('one\n');
    await output.includes('got one');
    process.stdin?.write('\x04');
    assert.equal((await process.exited).exitCode, 3);
    await output.all;
    await process.released;
  });

  contract('output of a terminal is complete when it ends', async (launch) => {
    const process = await launch('flood', ['100'], { terminal });
    const text = await textOf(process.stdout).all;
    assert.equal(text.length, 200_000);
    assert.equal((await process.exited).exitCode, 0);
    await process.released;
  });

  contract('a terminal without a reader does not stop its program', async (launch) => {
    const process = await launch('flood', ['500'], { terminal });
    process.stdout?.destroy();
    assert.equal((await process.exited).exitCode, 0);
    await process.released;
  });

  contract('a resize of what has no terminal, or has ended, is nothing', async (launch) => {
    const process = await launch('exit', ['0'], { output: {} });
    process.resize(10, 10);
    await process.released;
    process.resize(10, 10);
  });
}
