import type { Digest } from '../../core/digest.js';
import { mediaTypes } from '../../core/media-types.js';
import { type Exchange, type RegistryContext, sendJson } from './exchange.js';
import { RegistryFailure } from './registry-failure.js';

/** Names in one answer, whatever a client asks for. */
const maxPage = 1000;
/** An index that large is as large as a manifest may be. */
const maxReferrerBytes = 3 * 1024 * 1024;

/** GET `…/tags/list`. */
export async function listTags({ storage }: RegistryContext, exchange: Exchange, repository: string): Promise<void> {
  const tags = await storage.listTags(repository);
  if (tags === undefined) throw new RegistryFailure(404, 'NAME_UNKNOWN', 'there is no such repository');
  const { page, link } = pageOf(exchange, tags, `/v2/${repository}/tags/list`);
  sendJson(exchange, { name: repository, tags: page }, link);
}

/** GET `/v2/_catalog`: the repositories that this client may read. */
export async function listRepositories({ storage }: RegistryContext, exchange: Exchange): Promise<void> {
  const readable: string[] = [];
  for (const name of await storage.listRepositories()) if (await exchange.maySee(name)) readable.push(name);
  const { page, link } = pageOf(exchange, readable, '/v2/_catalog');
  sendJson(exchange, { repositories: page }, link);
}

/** GET `…/referrers/DIGEST`. */
export async function listReferrers(
  { storage }: RegistryContext,
  exchange: Exchange,
  repository: string,
  subject: Digest,
): Promise<void> {
  const artifactType = exchange.query.get('artifactType') ?? undefined;
  const last = exchange.query.get('last') ?? '';
  const all = (await storage.listReferrers(repository, subject))
    .filter((each) => artifactType === undefined || each.artifactType === artifactType)
    .filter((each) => each.digest > last);
  let bytes = 0;
  const fitting = all.findIndex((each) => {
    bytes += Buffer.byteLength(JSON.stringify(each));
    return bytes > maxReferrerBytes;
  });
  const manifests = fitting <= 0 ? (fitting === 0 ? all.slice(0, 1) : all) : all.slice(0, fitting);
  const next = new URLSearchParams({
    last: manifests.at(-1)?.digest ?? '',
    ...(artifactType !== undefined && { artifactType }),
  });
  sendJson(
    exchange,
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    {
      'content-type': mediaTypes.ociIndex,
      ...(artifactType !== undefined && { 'oci-filters-applied': 'artifactType' }),
      ...(manifests.length < all.length && { link: `</v2/${repository}/referrers/${subject}?${next}>; rel="next"` }),
    },
  );
}

function pageOf(
  { query }: Exchange,
  names: readonly string[],
  path: string,
): { readonly page: readonly string[]; readonly link: { readonly link?: string } } {
  const last = query.get('last') ?? '';
  const wanted = query.get('n');
  if (wanted !== null && !/^\d{1,9}$/.test(wanted)) throw new RegistryFailure(400, 'UNSUPPORTED', 'n must be a number');
  const most = Math.min(Number(wanted ?? maxPage), maxPage);
  const after = names.filter((name) => name > last);
  const page = after.slice(0, most);
  const end = page.at(-1);
  if (page.length === after.length || end === undefined) return { page, link: {} };
  return { page, link: { link: `<${path}?${new URLSearchParams({ n: String(most), last: end })}>; rel="next"` } };
}
