import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

/** The names in a tar archive, in its order, as GNU tar reads them; of a link with its target. */
export async function listArchive(archive: AsyncIterable<Uint8Array>): Promise<string[]> {
  const tar = spawn('tar', ['--list', '--verbose', '--quoting-style=literal', '--file=-'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(tar, 'close');
  const [listed] = await Promise.all([text(tar.stdout), pipeline(archive, tar.stdin)]);
  const [code] = await ended;
  if (code !== 0) throw new Error(`tar ended with ${code}`);
  // Mode, owner, size, date, time, name.
  return listed.split('\n').flatMap((line) => /^(?:\S+\s+){5}(.*)$/.exec(line)?.[1] ?? []);
}
