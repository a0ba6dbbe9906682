// Runs with failing-files.so preloaded: makes one system call after the other fail within each operation of an engine,
// and prints what does not hold, one line of JSON each. Arguments: options, image and campaign options as JSON, the library.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import koffi from 'koffi';
import { type Container, Engine, EngineError, type EngineOptions } from 'tscontainer';

interface Wanted {
  readonly options: EngineOptions & { readonly root: string; readonly runRoot: string };
  readonly directory: string;
  readonly image: string;
  readonly errors: readonly (readonly [string, number])[];
  readonly operations?: readonly string[];
  /** Only this one of the calls of each operation, to reproduce a failure. */
  readonly at?: number;
}

const wanted = JSON.parse(process.argv[2] ?? '') as Wanted;
const { options, image, directory } = wanted;
const library = koffi.load(process.argv[3] ?? '');
const arm = library.func('void fault_arm(const char *, int, int)');
const disarm = library.func('void fault_disarm()');
const seen = library.func('int fault_seen()');
const failed = library.func('const char *fault_failed()');

const MOST = 400;
const base = { image, command: ['sleep', '1000'], network: 'none' } as const;

interface Operation {
  /** A container to work on: made before the faults begin. */
  readonly given?: 'created' | 'running' | 'exited';
  /** With a second engine that is opened for it, whose `close` is part of it. */
  work(engine: Engine, container: Container): Promise<unknown>;
  /** Checked when it did not fail. */
  readonly result?: unknown;
}

const operations: Readonly<Record<string, Operation>> = {
  open: {
    work: async () => {
      await using engine = await Engine.open(options);
      return engine.containers.list();
    },
  },
  create: { work: (engine) => engine.containers.create({ ...base, name: 'tried' }) },
  'create detached': {
    work: (engine) => engine.containers.create({ ...base, name: 'tried', lifetime: 'detached' }),
  },
  start: { given: 'created', work: (_, container) => container.start() },
  'start again': { given: 'exited', work: (_, container) => container.start() },
  run: {
    work: async (engine) => (await engine.run(image, ['sh', '-c', 'exit 7'], { network: 'none' })).exitCode,
    result: 7,
  },
  'run bridged': { work: async (engine) => (await engine.run(image, ['sh', '-c', 'exit 7'])).exitCode, result: 7 },
  exec: {
    given: 'running',
    work: async (_, container) => (await container.exec(['sh', '-c', 'exit 3'])).exitCode,
    result: 3,
  },
  stop: {
    given: 'running',
    work: async (_, container) => (await container.stop({ timeoutMs: 0 })).exitCode,
    result: 137,
  },
  rename: { given: 'created', work: (_, container) => container.rename('renamed') },
  update: { given: 'running', work: (_, container) => container.update({ memory: '64m' }) },
  commit: {
    given: 'created',
    work: (_, container) => container.commit({ name: 'lab/committed' }),
  },
  copy: {
    given: 'created',
    work: (_, container) => container.copyTo('/root', '/etc/hostname'),
  },
  tag: { work: (engine) => engine.images.tag(image, 'lab/tagged') },
  remove: { given: 'exited', work: (_, container) => container.remove() },
  'remove running': { given: 'running', work: (_, container) => container.remove({ force: true }) },
};

interface Finding {
  readonly operation: string;
  readonly error: string;
  readonly at: number;
  readonly call: string;
  readonly what: string;
}

let cases = 0;
const report = (finding: Finding): void => console.log(JSON.stringify(finding));
process.on('unhandledRejection', (error) => {
  disarm();
  console.log(JSON.stringify({ what: `unhandled: ${describe(error)}`, call: failed() }));
});

for (const [error, errno] of wanted.errors) {
  for (const [name, operation] of Object.entries(operations)) {
    if (wanted.operations !== undefined && !wanted.operations.includes(name)) continue;
    for (let at = wanted.at ?? 1; at <= (wanted.at ?? MOST); at += 1) {
      if (!(await tryOnce(name, operation, at, error, errno))) break;
    }
  }
}
console.log(JSON.stringify({ cases }));

/** False when the operation has no such call any more. */
async function tryOnce(name: string, operation: Operation, at: number, error: string, errno: number): Promise<boolean> {
  const engine = await Engine.open(options);
  const findings: string[] = [];
  const lifetime = at % 2 === 0 ? 'owner' : 'detached';
  const container = (operation.given && (await given(engine, operation.given, lifetime))) as Container;
  const before = await contents();
  arm(directory, at, errno);
  const outcome = await operation.work(engine, container).then(
    (value) => ({ value }),
    (reason: unknown) => ({ reason }),
  );
  const calls = seen();
  const call = failed();
  disarm();
  if ('reason' in outcome && !EngineError.is(outcome.reason)) findings.push(`not typed: ${describe(outcome.reason)}`);
  if ('reason' in outcome && EngineError.is(outcome.reason, 'INTERNAL')) findings.push(describe(outcome.reason));
  if ('value' in outcome && operation.result !== undefined && outcome.value !== operation.result)
    findings.push(`result ${JSON.stringify(outcome.value)}`);
  if ('reason' in outcome && name.startsWith('create')) {
    const left = (await contents()).filter((path) => !before.includes(path) && !path.includes('layers/'));
    if (left.length > 0) findings.push(`left: ${left.join(' ')}`);
  }
  try {
    await checkAfter(engine, findings);
  } catch (reason) {
    findings.push(`afterwards: ${describe(reason)}`);
  }
  await engine.close().catch((reason: unknown) => findings.push(`close: ${describe(reason)}`));
  const left = [...(await names('containers')), ...(await readdir(join(options.runRoot, 'containers')))];
  if (left.length > 0) findings.push(`left after all: ${left.join(' ')}`);
  if (calls >= at) cases += 1;
  if (findings.length > 0) report({ operation: name, error, at, call, what: findings.join('; ') });
  return calls >= at;
}

async function given(engine: Engine, state: string, lifetime: 'owner' | 'detached'): Promise<Container> {
  const container = await engine.containers.create({ ...base, lifetime });
  if (state !== 'created') await container.start();
  if (state === 'exited') await container.stop({ timeoutMs: 0 });
  return container;
}

/** A new engine works, sees nothing damaged, and can remove everything. */
async function checkAfter(first: Engine, findings: string[]): Promise<void> {
  await using engine = await Engine.open(options);
  for (const { id, error } of await engine.containers.damaged()) {
    findings.push(`damaged: ${error.message}`);
    await engine.containers.remove(id, { force: true });
  }
  for (const container of await engine.containers.list()) {
    const named = await engine.containers.get(container.name);
    if (named.id !== container.id) findings.push(`${container.name} is the name of another container`);
    const its = await first.containers.get(container.id).catch(() => container);
    await its.remove({ force: true });
  }
  const again = await engine.containers.create({ ...base, name: 'tried' });
  await again.remove();
  const { exitCode } = await engine.run(image, ['sh', '-c', 'exit 9'], { network: 'none' });
  if (exitCode !== 9) findings.push(`a run afterwards gives ${exitCode}`);
  for (const name of ['lab/tagged', 'lab/committed'])
    await engine.images.remove(name).catch((reason: unknown) => {
      if (!EngineError.is(reason, 'NO_SUCH_IMAGE')) findings.push(`image: ${describe(reason)}`);
    });
}

async function contents(): Promise<string[]> {
  return [...(await names('containers')), ...(await names('images')), ...(await names('names'))];
}

async function names(place: string): Promise<string[]> {
  return (await readdir(join(options.root, place)).catch(() => [])).map((each) => `${place}/${each}`);
}

function describe(reason: unknown): string {
  if (EngineError.is(reason)) return `${reason.code} ${reason.message}`;
  return reason instanceof Error ? `${reason.stack?.split('\n').slice(0, 6).join(' | ')}` : String(reason);
}
