import { isIP, isIPv4 } from 'node:net';

/** Where systemd-resolved lists the servers that it asks itself; its own answers on 127.0.0.53 only the host reaches. */
export const SYSTEMD_UPSTREAM_PATH = '/run/systemd/resolve/resolv.conf';

export interface ResolvConfInput {
  /** Content of the host's /etc/resolv.conf; empty when there is none. */
  readonly host: string;
  /** Content of {@link SYSTEMD_UPSTREAM_PATH}; used when the host lists loopback servers only. */
  readonly systemdUpstream?: string | undefined;
  /** False leaves IPv6 servers out, for networks without IPv6. Default: true. */
  readonly ipv6?: boolean;
  /** Replaces the host's servers. */
  readonly servers?: readonly string[];
  /** Replaces the host's search domains. */
  readonly search?: readonly string[];
  /** Replaces the host's options. */
  readonly options?: readonly string[];
}

/**
 * The content of a container's /etc/resolv.conf, made from the host's.
 *
 * Servers on loopback addresses are dropped, since the container has its own loopback. No public server is ever put in
 * their place: a container of a host without usable servers gets a file without servers. @see resolv.conf(5)
 */
export function resolvConf(input: ResolvConfInput): string {
  const host = parse(input.host);
  const usable = (servers: readonly string[]): string[] => servers.filter((each) => isUsable(each, input.ipv6 ?? true));
  const fromHost = usable(host.servers);
  const servers =
    input.servers ?? (fromHost.length > 0 ? fromHost : usable(parse(input.systemdUpstream ?? '').servers));
  const search = input.search ?? host.search;
  const options = input.options ?? host.options;
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length === 0 ? [] : [`search ${search.join(' ')}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

interface ResolvConf {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

function parse(content: string): ResolvConf {
  const servers: string[] = [];
  let search: string[] = [];
  const options: string[] = [];
  for (const line of content.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver') servers.push(...values.slice(0, 1));
    // The last of several wins, and a domain is a search list of one.
    else if (keyword === 'search') search = values;
    else if (keyword === 'domain') search = values.slice(0, 1);
    else if (keyword === 'options') options.push(...values);
  }
  return { servers, search, options };
}

function isUsable(server: string, ipv6: boolean): boolean {
  const [address = ''] = server.split('%');
  if (isIP(address) === 0) return false;
  if (isIPv4(address)) return !address.startsWith('127.') && address !== '0.0.0.0';
  // A zone names an interface of the host, which the container does not have.
  return ipv6 && !server.includes('%') && address !== '::1' && address !== '::';
}
