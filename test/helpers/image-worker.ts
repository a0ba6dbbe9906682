// A process that pulls, runs, names and removes images at random. Argument: ImageWork as JSON. Prints, as JSON, how often
// each kind of work succeeded; ends with 1 at the first error that no other process' removal explains.
import { Engine, EngineError, type EngineOptions, type ErrorCode } from 'tscontainer';
import { seededRandom } from './random.js';

/** What a worker is to do. */
export interface ImageWork {
  readonly options: EngineOptions;
  readonly seed: number;
  readonly rounds: number;
  readonly references: readonly string[];
}

/** Another process has removed the image, or uses it. */
const explained: readonly ErrorCode[] = ['NO_SUCH_IMAGE', 'IMAGE_IN_USE', 'IMAGE_HAS_NAMES'];

const { options, seed, rounds, references } = JSON.parse(process.argv[2] ?? '') as ImageWork;
const random = seededRandom(seed);
await using engine = await Engine.open(options);
const done: Record<string, number> = {};

const work: Readonly<Record<string, (reference: string) => Promise<unknown>>> = {
  pull: (reference) => engine.images.pull(reference),
  run: async (reference) => {
    const { exitCode, stderr } = await engine.run(reference, ['cat', '/name'], { network: 'none' });
    if (exitCode !== 0) throw new Error(`${reference} is broken: exit code ${exitCode}, ${stderr}`);
  },
  tag: async (reference) => {
    await engine.images.pull(reference);
    await engine.images.tag(reference, `other:${random.below(3)}`);
  },
  untag: () => engine.images.untag(`other:${random.below(3)}`),
  remove: (reference) => engine.images.remove(reference),
  force: (reference) => engine.images.remove(reference, { force: true }),
  prune: () => engine.images.prune({ all: random.below(2) === 0 }),
  usage: () => engine.images.diskUsage(),
};

for (let round = 0; round < rounds; round += 1) {
  const name = random.pick(Object.keys(work));
  const reference = random.pick(references);
  try {
    await work[name]?.(reference);
    done[name] = (done[name] ?? 0) + 1;
  } catch (error) {
    if (explained.some((code) => EngineError.is(error, code))) continue;
    console.error(`round ${round} of seed ${seed}: ${name} ${reference}`, error);
    process.exitCode = 1;
    break;
  }
}
console.log(JSON.stringify(done));
