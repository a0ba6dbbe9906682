import { renameSync, writeFileSync } from 'node:fs';
import { PassThrough, Readable, Writable } from 'node:stream';
import type { EngineError } from '../../core/errors/engine-error.js';
import type { ExitStatus } from '../../core/exit-status.js';
import type { ProcessIdentity } from '../../core/process-identity.js';
import { signalName } from '../../core/signal.js';
import { Deferred } from '../../util/deferred.js';
import type { LaunchPlan } from '../launch-plan.js';
import type { LaunchedProcess, LaunchOptions } from '../launcher.js';
import type { MemoryProgram } from './memory-program.js';
import { MemoryService } from './memory-service.js';

const SIGKILL = 9;
const SIGPIPE = 13;
const SIGWINCH = 28;
/** SIGCHLD, SIGCONT, SIGURG, SIGWINCH. @see signal(7) */
const IGNORED_BY_DEFAULT = [17, 18, 23, SIGWINCH];

/** A program that runs in this process. */
export class MemoryProcess implements LaunchedProcess {
  readonly stdin: PassThrough | undefined;
  readonly stdout: PassThrough | undefined;
  readonly stderr: PassThrough | undefined;
  /** When the output is served. */
  readonly service: MemoryService | undefined;
  readonly #exited = new Deferred<ExitStatus>();
  readonly #released = new Deferred<void>();
  readonly #handlers = new Map<number, () => void>();
  readonly #ended = new AbortController();
  readonly #background: Promise<void>[] = [];
  #terminal: { columns: number; rows: number } | undefined;

  constructor(
    private readonly request: LaunchOptions & { readonly plan: LaunchPlan },
    program: MemoryProgram,
    readonly identity: ProcessIdentity,
    private readonly cleanUp: () => EngineError | undefined,
  ) {
    const piped = request.output === 'pipe';
    this.stdin = request.stdin === 'pipe' ? new PassThrough() : undefined;
    this.stdout = piped ? new PassThrough() : undefined;
    this.stderr = piped && !request.terminal ? new PassThrough() : undefined;
    // A killed program may still write; and EPIPE is for those who listen.
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.on('error', () => undefined);
    const resize = (columns: number, rows: number): void => this.resize(columns, rows);
    this.service = request.output === 'pipe' ? undefined : new MemoryService(request, request.output, resize);
    const terminal = request.plan.child.find((operation) => operation.op === 'terminal');
    this.#terminal = terminal?.op === 'terminal' ? { columns: terminal.columns, rows: terminal.rows } : undefined;
    if (request.processFile !== undefined) {
      const { pid, startTicks } = identity;
      writeRecord(request.processFile, `${pid} ${startTicks} ${pid} ${nanoseconds()} ${startTicks}\n`);
    }
    void this.#run(program);
  }

  get exited(): Promise<ExitStatus> {
    return this.#exited.promise;
  }

  get released(): Promise<void> {
    return this.#released.promise;
  }

  keepAlive(): () => void {
    return () => undefined; // a function keeps this process alive by what it waits for
  }

  signal(number: number): boolean {
    if (this.#ended.signal.aborted) return false;
    const handler = number === SIGKILL ? undefined : this.#handlers.get(number);
    if (handler !== undefined) handler();
    else if (number !== 0 && this.#isFatal(number)) this.#end(128 + number, number);
    return true;
  }

  resize(columns: number, rows: number): void {
    if (this.#terminal === undefined) return;
    this.#terminal = { columns, rows };
    this.signal(SIGWINCH);
  }

  proceed(): void {
    this.service?.proceed();
  }

  release(): void {
    // nothing here could outlive this process
  }

  #isFatal(number: number): boolean {
    const isInit = this.request.plan.namespaces.includes('pid');
    return number === SIGKILL || (!isInit && !IGNORED_BY_DEFAULT.includes(number));
  }

  async #run(program: MemoryProgram): Promise<void> {
    const execute = this.request.plan.child.at(-1);
    const [words, environment] = execute?.op === 'execute' ? [execute.arguments, execute.environment] : [[], []];
    const stdout = this.#output(1, this.stdout);
    const stderr = this.request.terminal ? stdout : this.#output(2, this.stderr);
    let code = 0;
    try {
      const result = await program({
        arguments: words,
        environment: Object.fromEntries(environment.map((each) => splitEntry(each))),
        stdin: this.stdin ?? this.service?.input ?? Readable.from([]),
        stdout,
        stderr,
        terminal: () => this.#terminal,
        onSignal: (number, handler) => void this.#handlers.set(number, handler),
        background: (work) => void this.#background.push(work),
        ended: this.#ended.signal,
      });
      code = result ?? 0;
    } catch {
      code = 1; // as an uncaught exception ends a program; a killed one has ended already
    }
    await Promise.all([flush(stdout), flush(stderr)]); // a program blocks until its output is taken
    this.#end(code & 0xff, 0);
  }

  #end(exitCode: number, signal: number): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    const finishedAt = nanoseconds();
    if (this.request.exitFile !== undefined) {
      writeRecord(this.request.exitFile, `${exitCode} ${signal} 0 ${finishedAt}\n`);
    }
    void Promise.allSettled(this.#background).then(() => {
      this.stdout?.end();
      this.stderr?.end();
    });
    this.stdin?.destroy(); // nobody reads any more
    const exit: ExitStatus = {
      exitCode,
      signal: signal === 0 ? undefined : signalName(signal),
      oomKilled: false,
      finishedAt: new Date(Number(finishedAt / 1_000_000n)),
    };
    this.#exited.resolve(exit);
    this.service?.end(exit);
    const failure = this.cleanUp();
    if (failure === undefined) this.#released.resolve();
    else this.#released.reject(failure);
  }

  /** What the program writes to: the pipe, or whatever the supervisor serves. */
  #output(stream: 1 | 2, pipe: PassThrough | undefined): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (this.service !== undefined) void this.service.write(stream, chunk).then(() => done(), done);
        else if (pipe === undefined) done();
        else this.#pass(pipe, chunk, done);
      },
    }).on('error', () => undefined);
  }

  /** A pipe without a reader ends its writer; a terminal without one swallows. @see pipe(7) */
  #pass(pipe: PassThrough, chunk: Buffer, done: () => void): void {
    if (pipe.destroyed && !this.request.terminal) this.#end(128 + SIGPIPE, SIGPIPE);
    if (pipe.destroyed || pipe.write(chunk)) {
      done();
      return;
    }
    const proceed = (): void => {
      for (const event of ['drain', 'close']) pipe.off(event, proceed);
      done();
    };
    for (const event of ['drain', 'close']) pipe.on(event, proceed);
  }
}

async function flush(output: Writable): Promise<void> {
  await new Promise<void>((resolve) => output.end(() => resolve()));
}

/** A reader sees a whole record or none. */
function writeRecord(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

function splitEntry(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return [entry.slice(0, equals), entry.slice(equals + 1)];
}

const nanoseconds = (): bigint => BigInt(Date.now()) * 1_000_000n;
