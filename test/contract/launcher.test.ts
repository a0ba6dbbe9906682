import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLauncher } from '#lib/runtime/memory/memory-launcher.js';
import { launcherContract } from '#lib/testing/contracts/launcher-contract.js';
import { contractPrograms } from '#lib/testing/contracts/launcher-programs.js';
import { contractSpec } from '../helpers/contract-spec.js';
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
      spec: (program, words, options) => contractSpec('/', '/', [program, ...words], options),
      brokenSpec: (kind) => contractSpec('/', '/', [kind === 'missing' ? 'missing' : 'text'], {}),
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
    };
  },
});

launcherContract({ name: 'shim', open: () => openShimLauncher() });
