// A program that uses an engine and is killed by a test. Arguments: engine options and containers as JSON. Prints the
// ids of its containers as one line of JSON and goes on for ever.
import { type ContainerOptions, Engine, type EngineOptions } from 'tscontainer';

const { options, containers, run } = JSON.parse(process.argv[2] ?? '') as {
  readonly options: EngineOptions;
  readonly containers: readonly ContainerOptions[];
  /** Also runs this command, without end. */
  readonly run?: { readonly image: string; readonly command: readonly string[] };
};

const engine = await Engine.open(options);
const made = await Promise.all(
  containers.map(async (each) => {
    const container = await engine.containers.create(each);
    await container.start();
    return { id: container.id, pid: (await container.inspect()).pid };
  }),
);
if (run !== undefined) {
  const started = new Promise<void>((resolve) => engine.on('container.started', () => resolve()));
  void engine.run(run.image, run.command);
  await started;
}
console.log(JSON.stringify(made));
setInterval(() => undefined, 1 << 30);
