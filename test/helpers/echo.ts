import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { NetworkNamespace } from './network-namespace.js';

export interface EchoAddress {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
}

const server = `
const [protocol, address, port] = process.argv.slice(1);
const ready = () => process.stdout.write('ready');
if (protocol === 'tcp') {
  require('net').createServer((socket) => socket.end(socket.remoteAddress)).listen(Number(port), address, ready);
} else {
  const socket = require('dgram').createSocket('udp4');
  socket.on('message', (_, from) => socket.send(from.address, from.port, from.address));
  socket.bind(Number(port), address, ready);
}
process.stdin.resume().on('end', () => process.exit());`;

const client = `
const [protocol, address, port, patience] = process.argv.slice(1);
const say = (word) => { process.stdout.write(word); process.exit(); };
setTimeout(say, Number(patience), 'silence');
if (protocol === 'tcp') {
  const socket = require('net').connect(Number(port), address);
  socket.on('data', (data) => say(String(data))).on('error', (error) => say(error.code));
} else {
  const socket = require('dgram').createSocket('udp4');
  socket.on('message', (data) => say(String(data))).on('error', (error) => say(error.code));
  socket.connect(Number(port), address, () => socket.send('?'));
}`;

/** A server in a namespace that tells each client the address that it sees it under. Ends with this process. */
export async function startEcho(namespace: NetworkNamespace, at: EchoAddress): Promise<AsyncDisposable> {
  const args = ['-e', server, at.protocol, at.address, String(at.port)];
  const child = namespace.run(() => spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
  const exited = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), exited.then(() => Promise.reject(new Error('echo server ended')))]);
  return {
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

/**
 * What a client in a namespace gets from the echo server behind an address: its own address as the server sees it, the
 * code of the error (`ECONNREFUSED`), or `silence`.
 */
export async function askEcho(namespace: NetworkNamespace, at: EchoAddress, patienceMs = 5000): Promise<string> {
  const args = ['-e', client, at.protocol, at.address, String(at.port), String(patienceMs)];
  const child = namespace.run(() => spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  return text(child.stdout);
}
