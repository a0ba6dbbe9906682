import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ExitStatus } from 'tscontainer';
import type { LaunchedProcess } from '#lib/runtime/launcher.js';
import { logFile, logFiles } from '#lib/runtime/log-files.js';
import { decodeLogRecord, gapBytes, type LogRecord } from '#lib/runtime/log-record.js';
import { baseRequest } from '#lib/testing/contracts/launcher-under-test.js';
import { runChecked } from '../../helpers/run-checked.js';
import { openShimLauncher } from '../../helpers/shim-launcher-fixture.js';

const MEBIBYTE = 2 ** 20;

test('a program goes on when the disk that holds its log is full, and the log says what is missing', async () => {
  await using tested = await openShimLauncher();
  const disk = join(tested.directory, 'disk');
  mkdirSync(disk);
  await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]);
  try {
    const filler = join(disk, 'filler');
    writeFileSync(filler, Buffer.alloc(200_000));
    const log = { prefix: join(disk, 'log.'), maxBytes: 100 * MEBIBYTE, maxFiles: 2 };
    const run = async (): Promise<void> => {
      const spec = tested.spec('flood', ['1000'], {});
      const launched = await tested.launcher.launch({ ...baseRequest, spec, stdin: 'null', output: { log } });
      assert.equal((await ended(launched)).exitCode, 0);
    };
    await run();
    const before = sizesOf(log.prefix);
    assert.ok(before.stdout > 0 && before.stdout + before.stderr < 400_000, JSON.stringify(before));
    assert.equal(before.stdout + before.stderr + before.gaps, 2_000_000);
    rmSync(filler);
    const more = tested.spec('talk', [], {});
    const late = await tested.launcher.launch({ ...baseRequest, spec: more, stdin: 'null', output: { log } });
    await ended(late);
    const after = sizesOf(log.prefix);
    assert.equal(after.stdout, before.stdout + 'out\n'.length, 'what was whole stays, and what comes is whole');
  } finally {
    await tested.launcher.close(); // supervisors that are about to end hold the log
    await runChecked('umount', [disk]);
  }
});

test('with room again the log goes on, behind a record of how much is missing', async () => {
  await using tested = await openShimLauncher();
  const disk = join(tested.directory, 'disk');
  mkdirSync(disk);
  await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]);
  try {
    const filler = join(disk, 'filler');
    writeFileSync(filler, Buffer.alloc(500_000));
    const log = { prefix: join(disk, 'log.'), maxBytes: 100 * MEBIBYTE, maxFiles: 2 };
    const socket = join(tested.directory, 'socket');
    const spec = tested.spec('copy', [], {});
    const output = { log, socket };
    const launched = await tested.launcher.launch({ ...baseRequest, spec, stdin: 'attached-once', output });
    const attached = tested.launcher.attachment({
      ...{ socket, stdin: true, stdout: true, stderr: false, bufferBytes: MEBIBYTE, whenSlow: 'block' },
    });
    await attached.connect();
    attached.flow();
    let received = 0;
    const echo = async (bytes: number): Promise<void> => {
      attached.stdin?.write(Buffer.alloc(bytes, 'x'));
      for (const wanted = received + bytes; received < wanted; ) {
        const chunk: Buffer | null = attached.stdout?.read() ?? null;
        if (chunk === null) await new Promise((resolve) => attached.stdout?.once('readable', resolve));
        received += chunk?.length ?? 0;
      }
    };
    await echo(300_000);
    rmSync(filler);
    await echo(1000);
    attached.stdin?.end();
    await ended(launched);
    const { stdout, gaps } = sizesOf(log.prefix);
    assert.equal(stdout + gaps, 301_000);
    assert.ok(gaps > 200_000, `${gaps} bytes are known to be missing`);
  } finally {
    await tested.launcher.close(); // supervisors that are about to end hold the log
    await runChecked('umount', [disk]);
  }
});

async function ended(launched: LaunchedProcess): Promise<ExitStatus> {
  const letGo = launched.keepAlive();
  const exit = await launched.exited;
  await launched.released;
  letGo();
  return exit;
}

function sizesOf(prefix: string): { readonly stdout: number; readonly stderr: number; readonly gaps: number } {
  const sizes = { stdout: 0, stderr: 0, gaps: 0 };
  for (const record of recordsOf(prefix)) {
    if (record.stream === 'gap') sizes.gaps += gapBytes(record);
    else sizes[record.stream] += record.bytes.length;
  }
  return sizes;
}

function recordsOf(prefix: string): LogRecord[] {
  return logFiles(prefix).flatMap((position) => {
    const path = logFile(prefix, position);
    const records: LogRecord[] = [];
    const bytes = readFileSync(path);
    let at = 0;
    for (let next = decodeLogRecord(bytes, path, at); next !== undefined; next = decodeLogRecord(bytes, path, at)) {
      records.push(next.record);
      at += next.size;
    }
    assert.equal(at, bytes.length, 'no half record');
    return records;
  });
}
