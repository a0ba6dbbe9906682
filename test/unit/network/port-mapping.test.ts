import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { formatPortMapping, parsePortMappings } from '#lib/network/port-mapping.js';

const parse = (...texts: string[]) => parsePortMappings(texts).map(formatPortMapping);

test('every form of a port mapping is understood', () => {
  assert.deepEqual(parse('8080:80'), ['0.0.0.0:8080:80/tcp']);
  assert.deepEqual(parse('127.0.0.1:8080:80/tcp'), ['127.0.0.1:8080:80/tcp']);
  assert.deepEqual(parse('127.0.0.1::443'), ['127.0.0.1::443/tcp']);
  assert.deepEqual(parse('80'), ['0.0.0.0::80/tcp']);
  assert.deepEqual(parse('53/UDP'), ['0.0.0.0::53/udp']);
  assert.deepEqual(parse('[::1]:8080:80'), ['[::1]:8080:80/tcp']);
  assert.deepEqual(parse('[::]::80'), ['[::]::80/tcp']);
});

test('ranges give one mapping per port', () => {
  assert.deepEqual(parse('8000-8002:80-82'), ['0.0.0.0:8000:80/tcp', '0.0.0.0:8001:81/tcp', '0.0.0.0:8002:82/tcp']);
  assert.deepEqual(parse('90-91/udp'), ['0.0.0.0::90/udp', '0.0.0.0::91/udp']);
});

test('the same host port may be published once per address and protocol', () => {
  assert.equal(parse('80:80', '80:80/udp', '127.0.0.1:80:81', '80', '80').length, 5);
  assert.throws(
    () => parse('80:80', '80:81'),
    (error) => EngineError.is(error, 'INVALID_PORT_MAPPING') && error.data.mapping === '0.0.0.0:80:81/tcp',
  );
});

test('what is no port mapping is refused with the text', () => {
  const bad = ['', ':', '80:', 'a', '0', '80:0', '65536', '-1', '1-', '3-1', '80-82:80-81', '8000-8001:80', '80/icmp'];
  bad.push(
    '300.0.0.1:80:80',
    'localhost:80:80',
    '::1:80:80',
    '[1.2.3.4]:80:80',
    '[::1]80',
    '1.2.3.4:80',
    '80:80:',
    ' 80',
  );
  for (const text of bad) {
    assert.throws(
      () => parse(text),
      (error) => EngineError.is(error, 'INVALID_PORT_MAPPING') && error.data.mapping === text,
      text,
    );
  }
});
