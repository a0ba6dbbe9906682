import { appendFileSync, existsSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import type { EngineError } from '../../core/errors/engine-error.js';
import type { ExitStatus } from '../../core/exit-status.js';
import type { ProcessIdentity } from '../../core/process-identity.js';
import { signalName } from '../../core/signal.js';
import { Deferred } from '../../util/deferred.js';
import type { LaunchPlan } from '../launch-plan.js';
import type { LaunchedProcess, LaunchOptions } from '../launcher.js';
import { restartPause, wantsRestart } from '../restart-policy.js';
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
  #ended = new AbortController();
  readonly #background: Promise<void>[] = [];
  #terminal: { columns: number; rows: number } | undefined;
  #restarts = 0;
  #pauseMs: number | undefined;
  #startedAt = performance.now();

  constructor(
    private readonly request: LaunchOptions & { readonly plan: LaunchPlan },
    private readonly program: MemoryProgram,
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
    this.#begin();
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

  #begin(): void {
    const { processFile, restart } = this.request;
    this.#startedAt = performance.now();
    this.#note(0n);
    if (processFile !== undefined) {
      const { pid, startTicks } = this.identity;
      writeRecord(processFile, `${pid} ${startTicks} ${pid} ${nanoseconds()} ${startTicks}\n`);
    }
    this.#tell(`"action":"start","pid":${this.identity.pid}`);
    if (this.#restarts > 0) restart?.onStart?.(this.identity);
    void this.#run(this.program, this.#ended);
  }

  /** Begins another run after a pause, unless the stop file appears before. */
  #beginAgain(exit: ExitStatus, finish: () => void): void {
    const { restart, exitFile } = this.request;
    if (restart === undefined) return;
    const pauseMs = restartPause(this.#pauseMs, performance.now() - this.#startedAt);
    this.#pauseMs = pauseMs;
    this.#note(nanoseconds() + BigInt(pauseMs) * 1_000_000n);
    restart.onExit?.(exit, pauseMs);
    const watcher = watch(dirname(restart.stopFile), () => existsSync(restart.stopFile) && end(finish));
    const timer = setTimeout(() => end(existsSync(restart.stopFile) ? finish : again), pauseMs);
    const end = (act: () => void): void => {
      clearTimeout(timer);
      watcher.close();
      this.#note(0n);
      act();
    };
    const again = (): void => {
      this.#restarts += 1;
      this.#ended = new AbortController();
      if (exitFile !== undefined) rmSync(exitFile, { force: true });
      this.#begin();
    };
  }

  #note(due: bigint): void {
    if (this.request.restart !== undefined) writeRecord(this.request.restart.restartFile, `${this.#restarts} ${due}\n`);
  }

  async #run(program: MemoryProgram, ended: AbortController): Promise<void> {
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
        ended: ended.signal,
      });
      code = result ?? 0;
    } catch {
      code = 1; // as an uncaught exception ends a program; a killed one has ended already
    }
    await Promise.all([flush(stdout), flush(stderr)]); // a program blocks until its output is taken
    if (ended === this.#ended) this.#end(code & 0xff, 0);
  }

  #end(exitCode: number, signal: number): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    const finishedAt = nanoseconds();
    if (this.request.exitFile !== undefined) {
      writeRecord(this.request.exitFile, `${exitCode} ${signal} 0 ${finishedAt}\n`);
    }
    const numbers = `"exitCode":${exitCode},"signal":${signal},"oomKilled":0`;
    this.#tell(`"action":"die",${numbers},"finishedAt":${finishedAt / 1000n}`);
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
    const { restart } = this.request;
    const isWanted = restart !== undefined && wantsRestart(restart, exitCode, this.#restarts);
    if (isWanted && !existsSync(restart.stopFile)) this.#beginAgain(exit, () => this.#finish(exit));
    else this.#finish(exit);
  }

  #tell(members: string): void {
    const { journal } = this.request;
    if (journal === undefined) return;
    appendFileSync(journal.file, `\n{"time":${nanoseconds() / 1000n},${members},${journal.subject}}\n`, {
      mode: 0o600,
    });
  }

  #finish(exit: ExitStatus): void {
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
