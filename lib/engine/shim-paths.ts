import { fileURLToPath } from 'node:url';

/** Where the shim of this package is, for one processor. */
export function shimPaths(architecture: string = process.arch): readonly string[] {
  return [fileURLToPath(new URL(`../../native/prebuilt/linux-${architecture}/tscontainer-shim`, import.meta.url))];
}
