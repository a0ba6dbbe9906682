// Runs the OCI distribution-spec conformance suite against the embedded registry.
//
//   node test/conformance/run-distribution-tests.mjs BINARY [open | basic | token]      default: all three, one after another
//
// BINARY is the suite's own program, see README.md. The build of the package must be there (npm run build). Ends with a
// failure when the suite does.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { serveRegistry } from '../../dist/index.js';

const [binary, ...chosen] = process.argv.slice(2);
if (binary === undefined || !existsSync(binary)) {
  console.error('usage: node test/conformance/run-distribution-tests.mjs BINARY [open | basic | token]');
  process.exit(64);
}
const user = { OCI_USERNAME: 'tester', OCI_PASSWORD: 'secret' };
/** What the suite does not ask of every registry. */
const optional = {
  OCI_VERSION: 'dev',
  OCI_API_BLOBS_DIGEST_HEADER: 'true',
  OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
  OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
  OCI_API_MANIFESTS_TAG_PARAM: 'true',
};

async function run(kind) {
  const work = mkdtempSync(join(tmpdir(), 'tsc-distribution-tests-'));
  const auth = { kind, users: { [user.OCI_USERNAME]: user.OCI_PASSWORD } };
  const registry = await serveRegistry({ directory: join(work, 'registry'), ...(kind !== 'open' && { auth }) });
  const env = {
    ...process.env,
    ...optional,
    ...(kind !== 'open' && user),
    OCI_REGISTRY: registry.host,
    OCI_TLS: 'disabled',
    OCI_RESULTS_DIR: join(work, 'results'),
  };
  const code = await new Promise((settle) => {
    spawn(resolve(binary), { cwd: work, env, stdio: 'inherit' }).once('close', settle);
  });
  await registry.close();
  rmSync(work, { recursive: true });
  return code === 0;
}

let isGood = true;
for (const kind of chosen.length > 0 ? chosen : ['open', 'basic', 'token']) {
  console.log(`\n### ${kind}`);
  isGood = (await run(kind)) && isGood;
}
process.exit(isGood ? 0 : 1);
