import type { ContainerSpec } from '../../runtime/container-spec.js';
import type { LaunchedProcess, Launcher, LaunchRequest } from '../../runtime/launcher.js';
import type { ContractProgramName } from './launcher-programs.js';

/** How a command of the contract is launched. */
export interface CommandOptions {
  readonly environment?: readonly string[];
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

/** A launcher under test. */
export interface LauncherUnderTest extends AsyncDisposable {
  readonly launcher: Launcher;
  /** An empty directory of the host, for files of the test. */
  readonly directory: string;
  /** A container that runs a program of {@link contractPrograms} in new mount and PID namespaces. */
  spec(program: ContractProgramName, words: readonly string[], options: CommandOptions): ContainerSpec;
  /** The same for a file that is missing, or that is there without the right to execute it. */
  brokenSpec(kind: 'missing' | 'not executable'): ContainerSpec;
}

/** How a launcher is tested. */
export interface LauncherFixture {
  readonly name: string;
  /** A fresh one; it is disposed of after each test. */
  open(): Promise<LauncherUnderTest>;
}

/** Launches a program with pipes unless told otherwise. */
export type Launch = (
  program: ContractProgramName,
  words?: readonly string[],
  request?: Partial<Omit<LaunchRequest, 'spec' | 'terminal'>> & CommandOptions,
) => Promise<LaunchedProcess>;

export type LauncherContract = (
  title: string,
  body: (launch: Launch, tested: LauncherUnderTest) => Promise<void>,
) => void;

/** A launch of nothing yet: pipes, and the life of this process. */
export const baseRequest = {
  stdin: 'pipe',
  output: 'pipe',
  terminal: false,
  lifetime: 'owner',
  durable: false,
} as const;
