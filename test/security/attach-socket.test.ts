import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { connectToShim } from '#lib/runtime/shim/connect-to-shim.js';
import { encodeFrame, frameTypes } from '#lib/runtime/shim/frames.js';
import { WireWriter } from '#lib/runtime/wire-writer.js';
import { textOf } from '#lib/testing/contracts/text-of.js';
import { openEngineLab } from '../helpers/engine-lab.js';
import { runChecked } from '../helpers/run-checked.js';
import { memoryOf, openDescriptors, supervisorOf } from '../helpers/supervisor.js';

const program = ['sh', '-c', 'trap "echo alive" USR1; while :; do sleep 0.05; done'];

// Whoever reaches a supervisor types into the container, with the rights of root in it (CVE-2020-15257 was such a socket).
test('the socket of a container is for its own user and root, wherever its directory is open to others', async () => {
  await using lab = await openEngineLab();
  const container = await lab.engine.containers.create({ image: lab.image(), command: program, network: 'none' });
  await container.start();
  const { runRoot } = lab.options;
  const directory = join(runRoot, 'containers', container.id);
  const socket = join(directory, 'socket');
  for (const path of [runRoot, directory]) assert.equal(statSync(path).mode & 0o777, 0o700, path);
  assert.equal(statSync(socket).mode & 0o777, 0o700);
  assert.doesNotMatch(
    readFileSync('/proc/net/unix', 'latin1'),
    /@.*tsc/i,
    'no abstract socket: they have no permissions',
  );

  const attach = (uid: number): Promise<string> => runChecked(process.execPath, ['-e', attachAs(uid, directory)]);
  assert.equal(await attach(1000), 'EACCES');
  for (const path of [dirname(lab.directory), lab.directory, runRoot, join(runRoot, 'containers'), directory])
    chmodSync(path, 0o755);
  chmodSync(socket, 0o777);
  assert.equal(await attach(1000), 'closed', 'the supervisor looks at who it is');
  assert.equal(await attach(0), 'attached');
  await container.remove({ force: true });
});

/** A program that becomes a user, asks to be attached, and prints what it gets. */
function attachAs(uid: number, directory: string): string {
  const frame = encodeFrame(frameTypes.attach, new WireWriter().u32(2).u32(0)).toString('hex');
  return `
    process.chdir(${JSON.stringify(directory)}); // an address has 108 bytes, less than this path
    process.setgroups([]); process.setgid(${uid}); process.setuid(${uid});
    const socket = require('node:net').createConnection('socket');
    const say = (what) => { process.stdout.write(what); socket.destroy(); };
    socket.on('connect', () => socket.write(Buffer.from('${frame}', 'hex')));
    socket.on('error', ({ code }) => say(code === 'EPIPE' || code === 'ECONNRESET' ? 'closed' : code));
    socket.on('end', () => say('closed'));
    socket.on('data', (answer) => say(answer.readUInt32LE(4) === 21 ? 'attached' : 'something else'));
  `;
}

test('nonsense on the socket ends that connection, and disturbs neither the container nor other attachers', async () => {
  await using lab = await openEngineLab();
  const container = await lab.engine.containers.create({
    image: lab.image(),
    command: program,
    network: 'none',
    openStdin: true,
  });
  await container.start();
  const watcher = await container.attach({ stdin: false });
  const output = textOf(watcher.stdout);
  const socket = join(lab.options.runRoot, 'containers', container.id, 'socket');
  const attach = encodeFrame(frameTypes.attach, new WireWriter().u32(7).u32(0));
  const nonsense: Readonly<Record<string, Buffer>> = {
    'a frame of 4 GiB': Buffer.from('ffffffff02000000', 'hex'),
    'an order of unknown type': encodeFrame(99),
    'an order of the library': encodeFrame(frameTypes.release),
    'a plan': encodeFrame(frameTypes.launch, Buffer.alloc(100)),
    'a signal that is too short': encodeFrame(frameTypes.signal, Buffer.alloc(3)),
    'input without being attached': encodeFrame(frameTypes.input, Buffer.alloc(10)),
    'attaching to nothing': encodeFrame(frameTypes.attach, new WireWriter().u32(0).u32(0)),
    'a buffer of 4 GiB': encodeFrame(frameTypes.attach, new WireWriter().u32(2).u32(0xffff_ffff)),
    'attaching twice': Buffer.concat([attach, attach]),
    'more input than is granted': Buffer.concat([
      attach,
      ...Array(8).fill(encodeFrame(frameTypes.input, Buffer.alloc(65_000))),
    ]),
    'one frame of more than the window': Buffer.concat([attach, encodeFrame(frameTypes.input, Buffer.alloc(65_537))]),
    'orders without end, whose answers nobody reads': Buffer.concat(
      Array(400_000).fill(encodeFrame(frameTypes.signal, new WireWriter().u32(0))),
    ),
  };
  let alive = '';
  for (const [what, bytes] of Object.entries(nonsense)) {
    const connection = await connectTo(socket);
    connection.on('error', () => undefined); // the other side does not wait until everything has come
    const closed = new Promise((resolve) => connection.once('close', resolve));
    connection.pause();
    connection.write(bytes);
    if (!what.startsWith('orders')) connection.resume();
    const isClosed = await Promise.race([closed.then(() => true), patience(10_000)]);
    assert.ok(isClosed, what);
    await container.kill('USR1');
    alive += 'alive\n';
    await output.includes(alive);
  }
  // Half a frame is no reason to wait for its sender.
  const half = (await connectTo(socket)).on('error', () => undefined);
  half.write(attach.subarray(0, 5));
  const late = await container.attach({ stdin: false });
  const heard = textOf(late.stdout);
  await container.kill('USR1');
  await heard.includes('alive');
  half.destroy();
  await container.remove({ force: true });
});

async function connectTo(path: string): Promise<Socket> {
  const connection = await connectToShim(path);
  assert.ok(connection !== undefined);
  return connection;
}

const patience = (milliseconds: number): Promise<false> =>
  new Promise((resolve) => setTimeout(() => resolve(false), milliseconds).unref());

// CVE-2022-23471, CVE-2025-64329: each attach and each resize has left something behind.
test('ten thousand attaches and resizes leave nothing, in the supervisor or here', { timeout: 240_000 }, async () => {
  await using lab = await openEngineLab();
  const container = await lab.engine.containers.create({
    image: lab.image(),
    command: ['sh', '-c', 'cat >/dev/null'],
    network: 'none',
    tty: true,
    openStdin: true,
  });
  await container.start();
  const supervisor = supervisorOf(lab.options.runRoot, container.id);
  const round = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const attached = await container.attach();
      attached.resize({ columns: 80 + (index % 40), rows: 24 });
      attached.stdin?.write('x');
      await attached.detach();
    }
  };
  await round(500);
  await quiet(supervisor);
  const before = { shim: openDescriptors(supervisor), own: openDescriptors('self'), memory: memoryOf(supervisor) };
  await round(10_000);
  await quiet(supervisor);
  assert.deepEqual([openDescriptors(supervisor), openDescriptors('self')], [before.shim, before.own]);
  const memory = memoryOf(supervisor);
  assert.ok(memory <= before.memory + 8192, `${before.memory} bytes before, ${memory} after`);
  await container.remove({ force: true });
});

/** Until the supervisor has seen who has gone. */
async function quiet(supervisor: number): Promise<void> {
  for (let last = -1, same = 0; same < 20; ) {
    const now = openDescriptors(supervisor);
    same = now === last ? same + 1 : 0;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
