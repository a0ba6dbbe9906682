// A program that opens an engine, runs a command and prints how that went as one line of JSON: `node attempt-program.js
// ENGINE-OPTIONS IMAGE RUN-OPTIONS`. For tests that put it into a worse place than the test itself is in.
import { Engine, EngineError, type EngineOptions, type RunOptions } from 'tscontainer';

const [engineOptions = '', image = '', runOptions = ''] = process.argv.slice(2);

async function attempt(): Promise<object> {
  try {
    await using engine = await Engine.open(JSON.parse(engineOptions) as EngineOptions);
    const run = () => engine.run(image, ['echo', 'fine'], JSON.parse(runOptions) as RunOptions);
    const ended = await run().then(
      ({ exitCode, stdout }) => ({ exitCode, stdout }),
      (error: unknown) => failure(error),
    );
    return { ...ended, containers: (await engine.containers.list()).length };
  } catch (error) {
    return failure(error);
  }
}

const failure = (error: unknown): object =>
  EngineError.is(error) ? { code: error.code, data: error.data, message: error.message } : { code: String(error) };

console.log(JSON.stringify(await attempt()));
