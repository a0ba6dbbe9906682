import { parentPort, workerData } from 'node:worker_threads';
import { Engine, type EngineOptions } from 'tscontainer';

/** What a thread with an engine of its own does: it runs some commands, and leaves a container running. */
export interface ThreadTask {
  readonly options: EngineOptions;
  readonly image: string;
  /** Of the thread, and the exit code of its commands. */
  readonly number: number;
}

const { options, image, number } = workerData as ThreadTask;
const engine = await Engine.open(options);
const codes: number[] = [];
for (let round = 0; round < 5; round += 1) {
  const { exitCode } = await engine.run(image, ['sh', '-c', `exit ${number}`], { network: 'none' });
  codes.push(exitCode);
}
const command = ['sleep', '100000'];
const container = await engine.containers.create({ image, command, network: 'none', name: `of-thread-${number}` });
await container.start();
parentPort?.on('message', async () => {
  await engine.close();
  parentPort?.close();
});
parentPort?.postMessage(codes);
