import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';

describe('a bridge network on Linux 6.1', () => {
  let lab: EngineLab;
  let image: string;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  const server = (): Promise<import('tscontainer').Container> =>
    lab.engine.containers.create({
      image,
      command: ['sh', '-c', 'mkdir /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www'],
      ports: ['127.0.0.1::80'],
    });

  test('a published port is answered on the host’s loopback address', async () => {
    await using container = await server();
    await container.start();
    const [port] = (await container.inspect()).network.ports;
    assert.equal(await page(`http://127.0.0.1:${port?.hostPort}/`), 'hello\n');
  });

  test('containers reach each other by address, and processes that join are in the same network', async () => {
    await using container = await server();
    await container.start();
    const [address] = (await container.inspect()).network.addresses;
    const url = `http://${address?.address}/`;
    const script = `until wget -q -O - ${url} 2>/dev/null; do sleep 0.1; done`;
    assert.equal((await lab.engine.run(image, ['sh', '-c', script])).stdout, 'hello\n');
    assert.equal((await container.exec(['wget', '-q', '-O', '-', 'http://127.0.0.1/'])).stdout, 'hello\n');
  });
});

/** The server answers as soon as it listens: until then the connection is refused. */
async function page(url: string): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
