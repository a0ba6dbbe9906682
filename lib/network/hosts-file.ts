import { isIP } from 'node:net';
import { EngineError } from '../core/errors/engine-error.js';

/** Stands for the address under which containers reach the host. */
export const HOST_GATEWAY = 'host-gateway';

export interface HostsFileInput {
  readonly hostname: string;
  /** Addresses of the container itself. */
  readonly addresses: readonly string[];
  /** More entries, as `NAME:ADDRESS`; the address may be {@link HOST_GATEWAY}. Default: none. */
  readonly extraHosts?: readonly string[];
  /** What {@link HOST_GATEWAY} means; undefined where the host cannot be reached. */
  readonly hostGateway: string | undefined;
  /** False leaves the IPv6 names out. Default: true. */
  readonly ipv6?: boolean;
}

const ipv4Names = ['127.0.0.1\tlocalhost'];
const ipv6Names = [
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** The content of a container's /etc/hosts. @throws EngineError `INVALID_OPTION`. @see hosts(5) */
export function hostsFile(input: HostsFileInput): string {
  const extra = (input.extraHosts ?? []).map((text) => extraHost(text, input.hostGateway));
  const own = input.addresses.map((address) => `${address}\t${input.hostname}`);
  const lines = [...ipv4Names, ...((input.ipv6 ?? true) ? ipv6Names : []), ...extra, ...own];
  return lines.map((line) => `${line}\n`).join('');
}

function extraHost(text: string, hostGateway: string | undefined): string {
  const [, name = '', given = ''] = /^([^:=\s]+)[:=](.*)$/.exec(text) ?? [];
  const bare = given.replace(/^\[(.*)\]$/, '$1');
  const address = bare === HOST_GATEWAY ? (hostGateway ?? '') : bare;
  if (/^[A-Za-z0-9_.-]+$/.test(name) && isIP(address) !== 0) return `${address}\t${name}`;
  const expected =
    bare === HOST_GATEWAY ? 'a network in which the host can be reached' : 'NAME:ADDRESS, like db:10.0.0.7';
  throw new EngineError('INVALID_OPTION', { option: 'extraHosts', expected, got: JSON.stringify(text) });
}
