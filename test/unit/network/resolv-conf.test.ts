import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolvConf } from '#lib/network/resolv-conf.js';

test('servers, search list and options of the host are kept, comments are not', () => {
  const host =
    '# by hand\nnameserver 10.0.0.2 ; main\nnameserver 2001:db8::1\nsearch a.example b.example\noptions ndots:2 edns0\n';
  assert.equal(
    resolvConf({ host }),
    'nameserver 10.0.0.2\nnameserver 2001:db8::1\nsearch a.example b.example\noptions ndots:2 edns0\n',
  );
});

test('servers that only the host reaches are dropped', () => {
  const host =
    'nameserver 127.0.0.1\nnameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver 10.0.0.2\n';
  assert.equal(resolvConf({ host }), 'nameserver 10.0.0.2\n');
});

test('a host with the stub of systemd-resolved alone gives the servers behind it', () => {
  const host = 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch example.org\n';
  assert.equal(
    resolvConf({ host, systemdUpstream: 'nameserver 192.0.2.53\nsearch other\n' }),
    'nameserver 192.0.2.53\nsearch example.org\noptions edns0 trust-ad\n',
  );
});

test('no public server is made up', () => {
  assert.equal(resolvConf({ host: 'nameserver 127.0.0.1\n' }), '');
  assert.equal(resolvConf({ host: '' }), '');
});

test('the last search list or domain wins', () => {
  assert.equal(resolvConf({ host: 'search a\ndomain b c\n' }), 'search b\n');
});

test('a network without IPv6 gets no IPv6 servers', () => {
  assert.equal(
    resolvConf({ host: 'nameserver 2001:db8::1\nnameserver 10.0.0.2\n', ipv6: false }),
    'nameserver 10.0.0.2\n',
  );
});

test('options replace what the host says', () => {
  const input = { host: 'nameserver 10.0.0.2\nsearch a\n', servers: ['127.0.0.11'], search: [], options: ['ndots:0'] };
  assert.equal(resolvConf(input), 'nameserver 127.0.0.11\noptions ndots:0\n');
});
