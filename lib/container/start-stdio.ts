import type { LaunchedProcess, LaunchRequest, ServedOutput } from '../runtime/launcher.js';
import { type ContainerFiles, containerFiles } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import type { StdioConfig } from './stdio-config.js';
import { LogWriting } from './write-log.js';

/** The standard streams of a start. */
export interface StartStdio {
  readonly request: Pick<LaunchRequest, 'stdin' | 'output' | 'terminal'>;
  /**
   * To be called when the program runs: connects whoever waits for it, and hands on its log. Settles when all of the log was
   * handed on.
   */
  started(process: LaunchedProcess): Promise<void>;
}

export function startStdio(
  services: ContainerServices,
  record: ContainerRecord,
  options: { readonly pipes?: { readonly stdin: 'null' | 'pipe' } },
): StartStdio {
  const { id, config } = record;
  const { stdio } = config;
  const terminal = stdio.tty !== undefined;
  if (options.pipes !== undefined) {
    const { stdin } = options.pipes;
    return { request: { stdin: terminal ? 'pipe' : stdin, output: 'pipe', terminal }, started: async () => undefined };
  }
  const files = containerFiles(services.layout, id);
  const hold = services.attachments.areWaiting(id);
  const writer = services.logWriters.get(id);
  const writing = writer && new LogWriting(services, record, writer);
  return {
    request: { stdin: inputOf(stdio), output: { ...logOf(stdio, files), socket: files.socket, hold }, terminal },
    started: async (process) => {
      await services.attachments.started(id);
      if (hold) process.proceed();
      await writing?.run();
    },
  };
}

function inputOf({ openStdin, stdinOnce }: StdioConfig): LaunchRequest['stdin'] {
  if (!openStdin) return 'null';
  return stdinOnce ? 'attached-once' : 'attached';
}

function logOf({ log }: StdioConfig, files: ContainerFiles): Pick<ServedOutput, 'log'> {
  if (log.driver === 'none') return {};
  return { log: { prefix: files.logPrefix, maxBytes: log.maxBytes, maxFiles: log.maxFiles } };
}
