import { Socket } from 'node:net';
import type { Kernel } from '../../kernel/kernel.js';
import { UndoStack } from '../../util/undo-stack.js';
import type { Attachment, AttachmentRequest } from '../attachment.js';
import { buildPlan } from '../build-plan.js';
import { encodePlan } from '../encode-plan.js';
import type { LaunchPlan } from '../launch-plan.js';
import type { LaunchedProcess, Launcher, LaunchOptions, LaunchRequest } from '../launcher.js';
import { flagsOf, supervisorFiles, withSocket } from './launch-frame.js';
import { ShimAttachment } from './shim-attachment.js';
import { ShimProcess } from './shim-process.js';
import { ShimServer } from './shim-server.js';
import { openStdio, type ShimStdio } from './stdio.js';

/** Starts processes through `tscontainer-shim`, one supervisor each. */
export class ShimLauncher implements Launcher {
  readonly #server: ShimServer;
  readonly #processes = new Set<ShimProcess>();
  /** Streams of ended processes whose other end a process of the container still holds. */
  readonly #unsettled = new Set<ShimStdio>();

  /** @param searchedPaths where the shim may be; the first that exists is taken. */
  constructor(
    private readonly kernel: Kernel,
    searchedPaths: readonly string[],
  ) {
    this.#server = new ShimServer(kernel, searchedPaths);
  }

  async launch(request: LaunchRequest): Promise<LaunchedProcess> {
    return this.execute(buildPlan(request.spec), request);
  }

  /** Launches what a plan says; fails as {@link launch} does. */
  async execute(planned: LaunchPlan, options: LaunchOptions): Promise<LaunchedProcess> {
    options.signal?.throwIfAborted();
    const plan = withSocket(planned, options);
    const encoded = encodePlan(plan);
    const undo = new UndoStack();
    const stdio = openStdio(this.kernel, options, undo);
    try {
      const [ourFd, theirFd] = this.kernel.socketPair('stream');
      const socket = new Socket({ fd: ourFd, readable: true, writable: true });
      undo.defer(() => void socket.destroy());
      await this.#server
        .makeSupervisor([...stdio.childSide, theirFd])
        .finally(() => this.kernel.close(theirFd))
        .finally(() => stdio.closeChildSide());
      this.#settle();
      const shim = new ShimProcess(socket, stdio, plan, options.restart, (ended, unsettled) => {
        this.#processes.delete(ended);
        if (unsettled !== undefined) this.#unsettled.add(unsettled);
      });
      this.#processes.add(shim);
      undo.defer(() => shim.abandon());
      shim.channel.launch(flagsOf(options), supervisorFiles(options), encoded);
      await shim.started(options.signal);
      undo.commit();
      return shim;
    } catch (error) {
      return undo.fail(error);
    }
  }

  attachment(request: AttachmentRequest): Attachment {
    return new ShimAttachment(request);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((each) => each.leaving()));
    this.#settle();
    for (const each of this.#unsettled) each.destroy();
    this.#unsettled.clear();
    await this.#server.close();
  }

  #settle(): void {
    for (const each of this.#unsettled) if (each.settle()) this.#unsettled.delete(each);
  }
}
