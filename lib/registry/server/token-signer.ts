import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Decoded, decodeJson, integer, listOf, literal, optional, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';

const action = literal('pull', 'push', 'delete');
const grant = record({ repository: optional(text), actions: listOf(action) });
const claims = record({
  /** `'access'` opens repositories, `'refresh'` gets such tokens in the place of a password. */
  kind: literal('access', 'refresh'),
  user: optional(text),
  grants: listOf(grant),
  /** Milliseconds since the epoch. */
  expiresAt: integer,
});

/** What may be done with one repository, or (without one) with their list. */
export type Grant = Decoded<typeof grant>;

/** What a token says. */
export type TokenClaims = Decoded<typeof claims>;

/** Longer tokens are not of our making. */
const maxTokenLength = 16_384;

/** Makes and knows the tokens of one server. They mean nothing to another one, nor to this one after a restart. */
export class TokenSigner {
  readonly #key = randomBytes(32);
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  sign(content: TokenClaims): string {
    const payload = Buffer.from(JSON.stringify(content)).toString('base64url');
    return `${payload}.${this.#signatureOf(payload).toString('base64url')}`;
  }

  /** Undefined for what is not ours, is over, or is for something else. */
  verify(token: string, kind: TokenClaims['kind']): TokenClaims | undefined {
    const [payload = '', signature = ''] = token.slice(0, maxTokenLength).split('.', 2);
    const given = Buffer.from(signature, 'base64url');
    const right = this.#signatureOf(payload);
    if (given.byteLength !== right.byteLength || !timingSafeEqual(given, right)) return undefined;
    try {
      const content = decodeJson(Buffer.from(payload, 'base64url').toString('utf8'), claims, 'token');
      return content.kind === kind && content.expiresAt > this.#now() ? content : undefined;
    } catch (error) {
      if (EngineError.is(error, 'CORRUPT_RECORD')) return undefined;
      throw error;
    }
  }

  #signatureOf(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}
