import type { Credential } from '../credential-source.js';

/** The value of an Authorization header. @see RFC 7617 */
export function basicAuthorization(credential: Extract<Credential, { kind: 'basic' }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, 'utf8').toString('base64')}`;
}
