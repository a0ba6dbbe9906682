/**
 * Pulls an image, shows its progress, and stops cleanly on ctrl-C.
 *
 *   node 02-pull-with-progress.js IMAGE [ROOT]
 */
import { Engine, EngineError, type PullProgress } from 'tscontainer';

const [reference = 'docker.io/library/debian:12', root = '/var/lib/tscontainer'] = process.argv.slice(2);
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));

let totalBytes = 0;
const done = new Map<string, number>();

function show(progress: PullProgress): void {
  if (progress.type === 'resolved') {
    totalBytes = progress.totalBytes;
    console.log(`${progress.layerCount} layers, ${totalBytes} bytes`);
  } else if (progress.type === 'downloading') {
    done.set(progress.digest, progress.doneBytes);
    const bytes = [...done.values()].reduce((sum, each) => sum + each, 0);
    console.log(`downloaded ${bytes} of ${totalBytes} bytes`);
  } else if (progress.type === 'unpacked') {
    console.log(`unpacked layer ${progress.index + 1} of ${progress.layerCount}`);
  }
}

await using engine = await Engine.open({ root });
try {
  const image = await engine.images.pull(reference, { onProgress: show, signal: interrupted.signal });
  // When pull resolves, the image is usable: nothing else to wait for.
  console.log(`${image.name} is ${image.id}`);
} catch (error) {
  if (!EngineError.is(error)) throw error;
  // One typed error: `code` says what happened, `kind` how to react, `data` to what.
  console.error(`${error.code} (${error.kind}): ${error.message}`);
  process.exitCode = 1;
}
