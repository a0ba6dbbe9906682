import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { hostsFile } from '#lib/network/hosts-file.js';

const base = { hostname: 'web', addresses: ['172.30.0.2'], hostGateway: '172.30.0.1', ipv6: false };

test('the container finds itself, localhost and the extra hosts', () => {
  const extraHosts = ['db:10.0.0.7', 'host.docker.internal:host-gateway', 'six:[2001:db8::1]', 'seven=2001:db8::2'];
  assert.equal(
    hostsFile({ ...base, extraHosts }),
    [
      '127.0.0.1\tlocalhost',
      '10.0.0.7\tdb',
      '172.30.0.1\thost.docker.internal',
      '2001:db8::1\tsix',
      '2001:db8::2\tseven',
      '172.30.0.2\tweb',
      '',
    ].join('\n'),
  );
});

test('the names of IPv6 are there where the network has it', () => {
  assert.match(hostsFile({ ...base, ipv6: true }), /^::1\tlocalhost ip6-localhost ip6-loopback$/m);
});

test('an extra host that is none is refused with the text', () => {
  for (const bad of ['db', 'db:', ':1.2.3.4', 'db:nowhere', 'a b:1.2.3.4', 'db:1.2.3.4\n6.6.6.6 bank']) {
    assert.throws(
      () => hostsFile({ ...base, extraHosts: [bad] }),
      (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.got === JSON.stringify(bad),
      bad,
    );
  }
});

test('host-gateway needs a network in which the host can be reached', () => {
  assert.throws(
    () => hostsFile({ ...base, hostGateway: undefined, extraHosts: ['h:host-gateway'] }),
    (error) => EngineError.is(error, 'INVALID_OPTION'),
  );
});
