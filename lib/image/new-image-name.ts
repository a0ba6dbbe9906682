import { EngineError } from '../core/errors/engine-error.js';
import { formatReference, parseReference } from '../core/reference.js';

/** The canonical form of a name that an image is to get. @throws EngineError `INVALID_REFERENCE`, also for a digest. */
export function newImageName(text: string): string {
  const reference = parseReference(text);
  if (reference.digest === undefined) return formatReference(reference);
  throw new EngineError('INVALID_REFERENCE', { reference: text, reason: 'a new name must not have a digest' });
}
