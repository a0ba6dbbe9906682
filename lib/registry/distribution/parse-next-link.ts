/** The target of `<…>; rel="next"`, relative to where it was said; undefined when there is none. @see RFC 8288 */
export function parseNextLink(header: string | undefined, base: URL): URL | undefined {
  for (const [, target = '', parameters = ''] of (header ?? '').slice(0, 16_384).matchAll(/<([^<>]*)>([^<>]*)/g)) {
    if (!/;\s*rel\s*=\s*"?next"?\s*(?:[;,]|$)/i.test(parameters)) continue;
    return URL.canParse(target, base.href) ? new URL(target, base) : undefined;
  }
  return undefined;
}
