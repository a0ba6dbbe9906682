/**
 * A web server in a container, reached through a published port. The server is this host's Node.js in an image of its
 * own; the container sees nothing else of the host.
 *
 *   node 05-web-server-with-port.js [ROOT]
 */
import { Engine } from 'tscontainer';

const SERVER = `
  const { createServer } = require('node:http');
  const server = createServer((request, response) => {
    console.log(request.method, request.url);
    response.end('hello from process ' + process.pid + ' of container ' + require('node:os').hostname() + '\\n');
  });
  server.listen(8080, () => console.log('ready'));
  process.on('SIGTERM', () => { server.close(); server.closeAllConnections(); });
`;

await using engine = await Engine.open({ root: process.argv[2] ?? '/var/lib/tscontainer' });
await engine.images.fromHost({ binaries: [process.execPath], tag: 'node-of-this-host' });

await using web = await engine.containers.create({
  image: 'node-of-this-host',
  command: [process.execPath, '-e', SERVER],
  hostname: 'web',
  ports: ['127.0.0.1::8080'], // a free port of the host
  memory: '512m',
});
await web.start();

for await (const line of web.logs({ follow: true })) {
  if (line.text === 'ready') break;
}

const { network } = await web.inspect();
const [port] = network.ports;
const response = await fetch(`http://127.0.0.1:${port?.hostPort}/`);
process.stdout.write(await response.text());

await web.stop();
for await (const line of web.logs()) console.log(`log: ${line.text}`);
