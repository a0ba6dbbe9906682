// Runs in the guest: executes test files one after the other and writes what happens as lines of JSON.
//
//   node main.js RESULTS FILE …
import { openSync, writeSync } from 'node:fs';
import { run } from 'node:test';
import { footprint, waitForSameFootprint } from '../../helpers/footprint.js';
import type { GuestEvent } from './guest-event.js';

const [results = '', ...files] = process.argv.slice(2);
const line = openSync(results, 'w');

function emit(event: GuestEvent): void {
  const bytes = Buffer.from(`${JSON.stringify(event)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(line, bytes, at);
}

async function runFile(file: string): Promise<void> {
  const before = await footprint();
  const stream = run({ files: [file], timeout: 180_000 });
  stream.on('test:stdout', ({ message }) => console.log(message.trimEnd()));
  stream.on('test:stderr', ({ message }) => console.log(message.trimEnd()));
  stream.on('test:pass', ({ name, details, skip }) => {
    if (name === file || (details as { type?: string }).type === 'suite') return;
    emit({ kind: skip === undefined ? 'pass' : 'skip', file, name, durationMs: details.duration_ms });
  });
  stream.on('test:fail', ({ name, details }) => {
    const { error, type } = details as { error: Error & { failureType?: string }; type?: string };
    if (type === 'suite' && error.failureType === 'subtestsFailed') return;
    if (name === file && error.failureType === 'subtestsFailed') return;
    emit({ kind: 'fail', file, name, durationMs: details.duration_ms, message: describe(error) });
  });
  for await (const _ of stream); // until the file has ended
  const differences = await waitForSameFootprint(before);
  const name = 'leaves nothing behind';
  if (differences.length === 0) emit({ kind: 'pass', file, name, durationMs: 0 });
  else emit({ kind: 'fail', file, name, durationMs: 0, message: differences.join('\n') });
}

function describe(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return (cause.stack ?? cause.message).slice(0, 4000);
}

emit({ kind: 'ready', uptimeMs: Math.round(performance.now()) });
for (const file of files) await runFile(file);
emit({ kind: 'end' });
