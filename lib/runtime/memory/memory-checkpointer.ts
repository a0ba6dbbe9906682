import { EngineError } from '../../core/errors/engine-error.js';
import type { Checkpointer, DumpRequest, RestoreCommand, RestoreRequest } from '../checkpointer.js';

/** What a {@link MemoryCheckpointer} does. */
export interface MemoryCheckpointerOptions {
  /** Called instead of writing images. Default: there is no criu. */
  readonly dump?: (request: DumpRequest) => Promise<void> | void;
}

/** A checkpointer on fakes: it keeps what it was asked for. Nothing can be restored by its command line. */
export class MemoryCheckpointer implements Checkpointer {
  readonly dumps: DumpRequest[] = [];
  readonly restores: RestoreRequest[] = [];

  constructor(private readonly options: MemoryCheckpointerOptions = {}) {}

  async check(): Promise<void> {
    if (this.options.dump !== undefined) return;
    throw new EngineError('CRIU_MISSING', { program: 'criu', searched: [], hint: 'this engine is made of fakes' });
  }

  async dump(request: DumpRequest): Promise<void> {
    this.dumps.push(request);
    await this.options.dump?.(request);
  }

  restoreCommand(request: RestoreRequest): RestoreCommand {
    this.restores.push(request);
    const { directory } = request;
    return { arguments: ['/criu'], environment: [], pidFile: `${directory}/pid`, logFile: `${directory}/restore.log` };
  }

  failureOf(): string | undefined {
    return undefined;
  }
}
