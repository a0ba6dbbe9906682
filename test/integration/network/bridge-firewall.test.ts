import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { bridgeNames, vethName } from '#lib/network/bridge/bridge-names.js';
import { createFirewall } from '#lib/network/bridge/firewall.js';
import { publishedElement } from '#lib/network/bridge/published-ports.js';
import { parseSubnet } from '#lib/network/ipv4.js';
import { dumpAddresses, parseAddresses } from '#lib/network/netlink/route/address.js';
import { dumpLinks, parseLinks } from '#lib/network/netlink/route/link.js';
import { dumpRoutes, parseRoutes } from '#lib/network/netlink/route/route.js';
import { createNetlinkClient } from '#lib/network/netlink-client.js';
import { type BridgeLab, createBridgeLab } from '../../helpers/bridge-lab.js';
import { libcNetwork } from '../../helpers/libc-network.js';

/** What nft(8) reads out of the table that was written byte by byte; priorities as numbers. */
const expectedTable = (table: string, bridge: string): string => `
table ip ${table} {
	map published-any {
		type inet_proto . inet_service : ipv4_addr . inet_service
		elements = { tcp . 8080 : 172.30.0.2 . 80 }
	}

	map published-specific {
		type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service
		elements = { udp . 127.0.0.1 . 8053 : 172.30.0.2 . 53 }
	}

	chain guard {
		type filter hook prerouting priority -300; policy accept;
		iifname != "lo" ip daddr 127.0.0.0/8 drop
		iifname != "lo" ip saddr 127.0.0.0/8 drop
	}

	chain publish-prerouting {
		type nat hook prerouting priority -100; policy accept;
		dnat ip to meta l4proto . ip daddr . th dport map @published-specific
		fib daddr type local dnat ip to meta l4proto . th dport map @published-any
	}

	chain publish-output {
		type nat hook output priority -100; policy accept;
		dnat ip to meta l4proto . ip daddr . th dport map @published-specific
		fib daddr type local dnat ip to meta l4proto . th dport map @published-any
	}

	chain source {
		type nat hook postrouting priority 100; policy accept;
		ip saddr 172.30.0.0/16 oifname != "${bridge}" masquerade
		oifname "${bridge}" ip saddr 172.30.0.0/16 ct status dnat masquerade
		oifname "${bridge}" ip saddr 127.0.0.0/8 masquerade
	}

	chain forward {
		type filter hook forward priority 0; policy accept;
		oifname "${bridge}" ct state established,related accept
		oifname "${bridge}" ct status dnat accept
		oifname "${bridge}" iifname "${bridge}" accept
		oifname "${bridge}" drop
	}
}`;

describe('what the bridge network writes by netlink', () => {
  let lab: BridgeLab;
  const netlink = createNetlinkClient(libcNetwork);

  before(async () => {
    lab = createBridgeLab();
    lab.host$('nft add table ip somebody-else');
    await lab.start('web', '8080:80', '127.0.0.1:8053:53/udp');
  });
  after(() => lab[Symbol.asyncDispose]());

  test('is the table that nft shows, beside those of others', () => {
    const { bridge, table } = bridgeNames(lab.root);
    assert.equal(`\n${lab.host$(`nft -y list table ip ${table}`).trim()}`, expectedTable(table, bridge));
    assert.match(lab.host$('nft list tables'), /somebody-else/);
  });

  test('is a bridge without spanning tree, without IPv6, with a fixed address', () => {
    const { bridge } = bridgeNames(lab.root);
    const shown = lab.host$(`ip -details address show dev ${bridge}`);
    assert.match(shown, /stp_state 0 /);
    assert.match(shown, /link\/ether 02:54:ac:1e:00:01/);
    assert.match(shown, /inet 172\.30\.0\.1\/16/);
    assert.doesNotMatch(shown, /inet6/);
  });

  test('is a pair whose host end is a forwarding port of the bridge', () => {
    const shown = lab.host$(`ip -details link show dev ${vethName(lab.root, 'web')}`);
    assert.match(shown, /state forwarding/);
    assert.match(shown, /hairpin on/);
  });

  test('reads interfaces, addresses and routes as ip shows them', () => {
    const { bridge } = bridgeNames(lab.root);
    const link = parseLinks(netlink.request('route', [dumpLinks()])).find(({ name }) => name === bridge);
    assert.deepEqual(link, {
      index: link?.index,
      name: bridge,
      up: true,
      mtu: 1500,
      master: undefined,
      kind: 'bridge',
    });
    assert.equal(
      lab.host$(`cat /proc/net/dev_mcast | awk '$2 == "${bridge}" { print $1; exit }'`).trim(),
      String(link?.index),
    );
    const addresses = parseAddresses(netlink.request('route', [dumpAddresses()]));
    assert.deepEqual(addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`).sort(), [
      '127.0.0.1/8',
      '172.30.0.1/16',
      '192.0.2.1/24',
      '198.51.100.1/32',
    ]);
    const routes = parseRoutes(netlink.request('route', [dumpRoutes()]));
    assert.deepEqual(routes.map(({ prefixLength }) => prefixLength).sort(), [0, 16, 24]);
  });

  test('withdraws an element only if it forwards to the same container', async () => {
    const firewall = createFirewall(netlink, 'withdraw');
    const element = (address: string, port: number) =>
      publishedElement({ hostAddress: '0.0.0.0', hostPort: 9000, containerPort: port, protocol: 'tcp' }, address);
    await firewall.replace('br0', parseSubnet('172.30.0.0/16'), [element('172.30.0.2', 80)]);
    await firewall.withdraw(element('172.30.0.3', 80));
    await firewall.withdraw(element('172.30.0.2', 81));
    assert.deepEqual(
      firewall.published().map(({ element: { data } }) => Buffer.from(data).toString('hex')),
      ['ac1e000200500000'],
    );
    await firewall.withdraw(element('172.30.0.2', 80));
    await firewall.withdraw(element('172.30.0.2', 80));
    assert.deepEqual(firewall.published(), []);
    await firewall.remove();
    await firewall.remove();
    assert.equal(firewall.exists(), false);
    assert.deepEqual(firewall.published(), []);
  });

  test('says what is missing on a kernel without nf_tables', async () => {
    const missing = new EngineError('SYSTEM_CALL_FAILED', {
      syscall: 'socket',
      errno: 'EPROTONOSUPPORT',
      operand: 'netfilter',
      hint: '',
    });
    const driver = lab.otherDriver({
      root: `${lab.root}/other`,
      kernel: {
        ...libcNetwork,
        netlink: (protocol, request) => {
          if (protocol === 'netfilter') throw missing;
          return libcNetwork.netlink(protocol, request);
        },
      },
    });
    const request = { containerId: 'one', hostname: 'one', ports: [], runDirectory: lab.root };
    await assert.rejects(
      driver.attach(request),
      (error) => EngineError.is(error, 'NETWORK_UNSUPPORTED') && /netfilter/.test(error.message),
    );
  });
});
