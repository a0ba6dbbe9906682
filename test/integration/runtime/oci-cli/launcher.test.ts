import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { OciCliLauncher } from '#lib/runtime/oci-cli/oci-cli-launcher.js';
import { launcherContract } from '#lib/testing/contracts/launcher-contract.js';
import { externalRuntime, externalRuntimes } from '../../../helpers/external-runtime.js';
import { openShimLauncher } from '../../../helpers/shim-launcher-fixture.js';

for (const name of externalRuntimes) {
  launcherContract({
    name,
    open: async () => {
      const runtime = await externalRuntime(name);
      const settings = {
        program: runtime.program,
        environment: [`PATH=${process.env['PATH']}`],
        cgroupRoots: [],
      };
      const opened = await openShimLauncher(
        (shim, base) => new OciCliLauncher(shim, { ...settings, bundleOf: (id) => join(base, 'bundles', id) }),
      );
      return {
        ...opened,
        // A runtime knows its containers by their ids.
        spec: (...words) => ({ ...opened.spec(...words), id: randomBytes(32).toString('hex') }),
        [Symbol.asyncDispose]: async () => {
          await opened[Symbol.asyncDispose]();
          await runtime[Symbol.asyncDispose]();
        },
      };
    },
  });
}
