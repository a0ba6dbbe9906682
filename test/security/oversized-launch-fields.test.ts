import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { errnoName } from '#lib/core/errors/errno-name.js';
import { encodePlan } from '#lib/runtime/encode-plan.js';
import type { LaunchPlan } from '#lib/runtime/launch-plan.js';
import { WireReader } from '#lib/runtime/wire-reader.js';
import { WireWriter } from '#lib/runtime/wire-writer.js';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { shimPath, withDirectory } from '../helpers/layer-fixtures.js';
import { rejection } from '../helpers/rejection.js';

const offline = { network: 'none' } as const;
const LAUNCH = 1;
const FAILED = 17;

/** What a supervisor answers to raw bytes on its channel, and the directory that its plan would have made. */
async function answerTo(bytes: Buffer): Promise<{ errno: string; what: string; operand: string }> {
  const child = spawn(shimPath, ['supervise'], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const channel = child.stdio[3] as Socket;
  const received: Buffer[] = [];
  channel.on('data', (chunk) => received.push(chunk)).on('error', () => undefined);
  channel.end(bytes);
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, 'it ends by itself');
  const answer = Buffer.concat(received);
  assert.equal(answer.readUInt32LE(4), FAILED);
  const reader = new WireReader(answer.subarray(8));
  const [, , errno] = [reader.u32(), reader.u32(), reader.u32()];
  return { errno: errnoName(errno), what: reader.string(), operand: reader.string() };
}

function frame(body: Buffer, size = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(size, 0);
  head.writeUInt32LE(LAUNCH, 4);
  return Buffer.concat([head, body]);
}

/** A launch frame of this plan, bytes of it changed. */
function launchFrame(plan: LaunchPlan, change: (encoded: Buffer) => Buffer = (encoded) => encoded): Buffer {
  const files = new WireWriter().u32(1).string('').string('').string('');
  const log = files.string('').u64(0n).u32(0).bytes(Buffer.alloc(0));
  const restart = log.u32(0).u32(0).string('').string('');
  const journal = restart.string('').string('');
  return frame(Buffer.from(journal.bytes(change(encodePlan(plan))).toBytes()));
}

const planOf = (prepare: LaunchPlan['prepare']): LaunchPlan => ({
  namespaces: [],
  prepare,
  parent: [],
  child: [],
  cleanup: [],
});

/** Replaces the 32-bit number at the first place where `before` stands. */
const putAt =
  (before: string, offset: number, value: number) =>
  (encoded: Buffer): Buffer => {
    const at = encoded.indexOf(before) + offset;
    assert.ok(at >= 4);
    encoded.writeUInt32LE(value, at);
    return encoded;
  };

// CVE-2021-43784: a length that wraps in the message by which a runtime is configured smuggles configuration in.
describe('lengths that are too large, on the way to the shim', () => {
  const huge = [65_537, 0x7fff_ffff, 0xffff_fff0, 0xffff_fffc, 0xffff_ffff];

  for (const size of huge) {
    test(`a field of ${size} bytes that are not there: refused as a whole, nothing is done`, () =>
      withDirectory(async (directory) => {
        const canary = join(directory, 'made');
        const plan = planOf([
          { op: 'make-directory', path: canary, mode: 0o755 },
          { op: 'write-file', path: '/dev/null', data: 'marker' },
        ]);
        for (const change of [
          putAt('marker', -4, size), // the length of a text
          putAt(canary, -4, size), // of another
          putAt(canary, -8, size), // of the operation
          putAt('TSCP', 8, size), // of the plan
          putAt('TSCP', 16, size), // the count of operations
        ]) {
          const { errno, what } = await answerTo(launchFrame(plan, change));
          assert.deepEqual([errno, what], ['EINVAL', 'decode']);
        }
        assert.ok(!existsSync(canary));
      }));
  }

  test('a frame above the bound is refused before memory is taken for it', async () => {
    for (const size of [2 ** 23, 0x7fff_ffff, 0xffff_ffff]) {
      assert.equal((await answerTo(frame(Buffer.alloc(64), size))).errno, 'EMSGSIZE');
    }
    assert.equal((await answerTo(frame(Buffer.alloc(64), 2 ** 20))).errno, 'EPIPE', 'one that is cut off');
    assert.equal((await answerTo(frame(Buffer.alloc(0)))).errno, 'EINVAL', 'one with nothing in it');
  });

  test('a path of 64 KiB and one byte is the kernel’s to refuse', async () => {
    const path = `/${'x'.repeat(65_536)}`;
    const { errno, operand } = await answerTo(launchFrame(planOf([{ op: 'make-directory', path, mode: 0o755 }])));
    assert.equal(errno, 'ENAMETOOLONG');
    assert.ok(operand.startsWith('/xxx') && operand.length < 256);
  });

  test('netlink messages whose lengths do not add up are not sent', async () => {
    for (const length of [0, 15, 65_537, 0xffff_ffff]) {
      const messages = Buffer.alloc(32);
      messages.writeUInt32LE(length, 0);
      const plan = planOf([{ op: 'netlink', protocol: 'route', messages, tolerate: [], labels: [] }]);
      const { errno, operand } = await answerTo(launchFrame(plan));
      assert.deepEqual([errno, operand], ['EINVAL', 'malformed messages']);
    }
  });
});

describe('texts of 64 KiB and more, by the public interface', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());
  const long = 'x'.repeat(65_537);

  test('arrive whole where the kernel takes them', async () => {
    const { stdout } = await lab.engine.run(image, ['sh', '-c', 'echo $LONG | wc -c; echo $1 | wc -c', 'sh', long], {
      ...offline,
      env: { LONG: long },
    });
    assert.equal(stdout, '65538\n65538\n');
  });

  test('are errors where it does not', async () => {
    const tooLong = await rejection(
      lab.engine.run(image, ['true', long.repeat(2)], offline), // MAX_ARG_STRLEN, 128 KiB
      'PROGRAM_NOT_EXECUTABLE',
    );
    assert.equal(tooLong.data.errno, 'E2BIG');
    const mounts = [{ type: 'tmpfs', target: `/${long}` } as const];
    await rejection(lab.engine.run(image, ['true'], { ...offline, mounts }), 'INVALID_OPTION');
    const whole = lab.engine.run(image, ['true'], { ...offline, env: { A: 'x'.repeat(5 * 1024 * 1024) } });
    await rejection(whole, 'TOO_LARGE');
  });
});
