import { EngineError } from './errors/engine-error.js';

/** A user or group, by number or by a name that is looked up inside the image. */
export type Principal = { readonly id: number } | { readonly name: string };

/** Who a process runs as. Without `group`, the user's own group, or 0 for a number that the image does not know. */
export interface UserSpec {
  readonly user: Principal;
  readonly group?: Principal;
}

/** Ids above do not survive the signed arithmetic of programs (and of engines: they have become 0 there). */
const maxId = 2 ** 31 - 1;

/**
 * Parses `user`, `user:group`, `uid`, `uid:gid` and their mixtures. An empty part is as if left out: `''` is root,
 * `'1000:'` is `'1000'`, `':10'` is root with group 10.
 *
 * Numbers are plain decimal from 0 to 2147483647. Whatever else resembles a number (`01`, `0x1`, `+1`, ` 1`, `1e3`) is
 * refused, never read as another user.
 *
 * @throws EngineError `INVALID_OPTION` naming `option`.
 */
export function parseUser(text: string, option = 'user'): UserSpec {
  const parts = text.split(':');
  const [user = '', group = ''] = parts;
  if (parts.length > 2) throw invalid(text, option);
  const parsed = { user: user === '' ? { id: 0 } : parsePrincipal(user, text, option) };
  return group === '' ? parsed : { ...parsed, group: parsePrincipal(group, text, option) };
}

function parsePrincipal(part: string, text: string, option: string): Principal {
  if (/^(?:0|[1-9]\d{0,9})$/.test(part)) {
    const id = Number(part);
    if (id > maxId) throw invalid(text, option);
    return { id };
  }
  // A first character that no number has keeps every other notation of a number out.
  if (!/^[A-Za-z_][A-Za-z0-9_.@\\-]{0,254}\$?$/.test(part)) throw invalid(text, option);
  return { name: part };
}

function invalid(text: string, option: string): EngineError {
  return new EngineError('INVALID_OPTION', {
    option,
    expected: `user or user:group, each a name or a number up to ${maxId}`,
    got: JSON.stringify(text.slice(0, 200)),
  });
}
