import { type Digest, digestOf } from './digest.js';

/**
 * The identity of a stack of layers, lowest first.
 *
 * @see OCI image-spec, config.md, "Layer ChainID"
 */
export function chainId(diffIds: readonly Digest[]): Digest {
  const [first, ...rest] = diffIds;
  if (first === undefined) return digestOf('');
  return rest.reduce((chain, diffId) => digestOf(`${chain} ${diffId}`), first);
}
