import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Runtimes of Debian that stand in for the engine's own. */
export const externalRuntimes = ['runc', 'crun'] as const;
export type ExternalRuntimeName = (typeof externalRuntimes)[number];

/**
 * A program that is this runtime. Debian's crun refuses a machine on which the cgroup v2 hierarchy beside those of v1 has a
 * controller: it does not get to see that one.
 */
export async function externalRuntime(
  name: ExternalRuntimeName,
): Promise<{ readonly program: string } & AsyncDisposable> {
  const directory = await mkdtemp('/run/tsc-runtime-');
  const program = join(directory, name);
  const hide = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec crun "$@"';
  const command = name === 'runc' ? 'runc "$@"' : `unshare --mount --propagation slave sh -c '${hide}' crun "$@"`;
  await writeFile(program, `#!/bin/sh\nexec ${command}\n`, { mode: 0o755 });
  return { program, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}
