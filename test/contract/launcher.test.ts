import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaunchPlan } from '#lib/runtime/launch-plan.js';
import { MemoryLauncher } from '#lib/runtime/memory/memory-launcher.js';
import { launcherContract } from '#lib/testing/contracts/launcher-contract.js';
import { contractPrograms } from '#lib/testing/contracts/launcher-programs.js';
import type { CommandOptions } from '#lib/testing/contracts/launcher-under-test.js';
import { executeOnHost } from '../helpers/execute-on-host.js';
import { openShimLauncher } from '../helpers/shim-launcher-fixture.js';

launcherContract({
  name: 'memory',
  open: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tscontainer-launcher-'));
    const programs = Object.entries(contractPrograms).map(([name, { run }]) => [name, run] as const);
    return {
      directory,
      launcher: new MemoryLauncher({
        programs: { ...Object.fromEntries(programs), text: 'not executable' },
        execute: executeOnHost,
      }),
      plan: (program, words, options) => memoryPlan([program, ...words], options),
      brokenPlan: (kind) => memoryPlan([kind === 'missing' ? 'missing' : 'text'], {}),
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
    };
  },
});

function memoryPlan(words: readonly string[], { environment = [], terminal }: CommandOptions): LaunchPlan {
  return {
    namespaces: ['pid'],
    prepare: [],
    parent: [],
    child: [
      ...(terminal === undefined ? [] : [{ op: 'terminal', ...terminal } as const]),
      { op: 'execute', arguments: words, environment },
    ],
    cleanup: [],
  };
}

launcherContract({ name: 'shim', open: openShimLauncher });
