import type { Credential } from '../credential-source.js';

/** The value of an Authorization header. @see RFC 7617 */
export function basicAuthorization(credential: Extract<Credential, { kind: 'basic' }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, 'utf8').toString('base64')}`;
}

/** The words of an Authorization header that must not be shown: the token, or the encoded and the plain password. */
export function secretsOfAuthorization(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  const [scheme = '', value = ''] = header.split(' ', 2);
  if (scheme !== 'Basic') return [value];
  const plain = Buffer.from(value, 'base64').toString('utf8');
  return [value, plain.slice(plain.indexOf(':') + 1)];
}
