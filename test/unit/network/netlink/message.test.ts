import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { readAnswer } from '#lib/network/netlink/answer.js';
import { attribute, nested, parseAttributeList } from '#lib/network/netlink/attribute.js';
import { cString } from '#lib/network/netlink/bytes.js';
import { encodeMessages, parseMessages } from '#lib/network/netlink/message.js';

// The expected bytes are those of a little-endian machine; the test machines are.
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const isMalformed = (error: unknown): boolean =>
  EngineError.is(error, 'NETLINK_FAILED') && error.data.errno === 'EBADMSG';

test('attributes carry their length and are padded to four bytes', () => {
  assert.equal(hex(attribute(3, cString('lo'))), '07000300 6c6f0000'.replaceAll(' ', ''));
  assert.equal(hex(nested(1, attribute(2, Uint8Array.of(9)))), '0c000180 05000200 09000000'.replaceAll(' ', ''));
});

test('an attribute that is too long for its length is refused, not cut (CVE-2021-43784)', () => {
  assert.equal(attribute(3, new Uint8Array(65_531)).length, 65_536);
  for (const size of [65_532, 65_537, 2 ** 17]) {
    assert.throws(
      () => attribute(3, new Uint8Array(size)),
      (error) => EngineError.is(error, 'TOO_LARGE'),
    );
    assert.throws(() => nested(1, attribute(2, new Uint8Array(size / 2)), attribute(2, new Uint8Array(size / 2))));
  }
});

test('messages of a datagram are numbered from one and can be read back', () => {
  const one = { label: 'a', type: 0x10, flags: 0x4, payload: Uint8Array.of(1) };
  const two = { label: 'b', type: 0x11, flags: 0, payload: Uint8Array.of(2, 3, 4, 5) };
  const datagram = encodeMessages([one, two]);
  assert.equal(
    hex(datagram),
    '11000000 1000 0500 01000000 00000000 01000000 14000000 1100 0100 02000000 00000000 02030405'.replaceAll(' ', ''),
  );
  const read = parseMessages(datagram);
  assert.deepEqual(
    read.map(({ type, flags, sequence, payload }) => [type, flags, sequence, hex(payload)]),
    [
      [0x10, 5, 1, '01'],
      [0x11, 1, 2, '02030405'],
    ],
  );
});

test('lengths that do not fit are refused, in messages and attributes', () => {
  const bad = ['0f000000', '00000000 1000 0000 01000000 00000000', '20000000 1000 0000 01000000 00000000'];
  for (const text of bad) assert.throws(() => parseMessages(bytes(text)), isMalformed, text);
  for (const text of ['03000100', '09000100 00000000']) {
    assert.throws(() => parseAttributeList(bytes(text)), isMalformed, text);
  }
});

test('every cut and every changed byte of an answer is read or refused, never anything else', () => {
  const answer = bytes(`
    4c000000 0200 0002 01000000 00000000 feffffff
    28000000 1000 0500 01000000 00000000 00000000 00000000 00000000 00000000 07000300 6c6f0000
    0d000100 6e6f7420 666f756e 64000000`);
  const attempt = (input: Uint8Array): void => {
    try {
      readAnswer([input]);
    } catch (error) {
      assert.ok(isMalformed(error), String(error));
    }
  };
  for (let length = 0; length <= answer.length; length += 1) attempt(answer.subarray(0, length));
  for (let index = 0; index < answer.length; index += 1) {
    for (const value of [0, 1, 3, 0x7f, 0x80, 0xff]) {
      const changed = Uint8Array.from(answer);
      changed[index] = value;
      attempt(changed);
    }
  }
});

test('a refusal gives the number of the message, the errno and what the kernel says', () => {
  const refusal = bytes(`
    30000000 0200 0003 02000000 00000000 feffffff 10000000 1000 0500 02000000 00000000
    0b000100 6e6f2077 61790000`);
  assert.deepEqual(readAnswer([refusal]).failures, [{ sequence: 2, errno: 2, text: 'no way' }]);
});

test('acknowledgements are no data and no failure', () => {
  const acknowledgement = bytes('24000000 0200 0001 01000000 00000000 00000000 10000000 1000 0500 01000000 00000000');
  const done = bytes('14000000 0300 0200 01000000 00000000 00000000');
  assert.deepEqual(readAnswer([acknowledgement, done]), { messages: [], failures: [] });
});
