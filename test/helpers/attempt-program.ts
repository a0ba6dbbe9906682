// A program that opens an engine, runs a command and prints how that went as one line of JSON: `node attempt-program.js
// ENGINE-OPTIONS IMAGE RUN-OPTIONS`. For tests that put it into a worse place than the test itself is in; with
// TSC_TEST_FREE_DESCRIPTORS it takes all descriptors but so many away from its engine.
import { closeSync, openSync } from 'node:fs';
import { Engine, EngineError, type EngineOptions, type RunOptions } from 'tscontainer';

const [engineOptions = '', image = '', runOptions = ''] = process.argv.slice(2);

async function attempt(): Promise<object> {
  try {
    await using engine = await Engine.open(JSON.parse(engineOptions) as EngineOptions);
    const taken = takeDescriptors();
    const run = () => engine.run(image, ['echo', 'fine'], JSON.parse(runOptions) as RunOptions);
    const ended = await run().then(
      ({ exitCode, stdout }) => ({ exitCode, stdout }),
      (error: unknown) => failure(error),
    );
    for (const fd of taken) closeSync(fd);
    return { ...ended, containers: (await engine.containers.list()).length };
  } catch (error) {
    return failure(error);
  }
}

function takeDescriptors(): number[] {
  const free = process.env['TSC_TEST_FREE_DESCRIPTORS'];
  const taken: number[] = [];
  if (free === undefined) return taken;
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    for (const fd of taken.splice(0, Number(free))) closeSync(fd); // EMFILE: there are none left
  }
  return taken;
}

const failure = (error: unknown): object =>
  EngineError.is(error) ? { code: error.code, data: error.data, message: error.message } : { code: String(error) };

console.log(JSON.stringify(await attempt()));
