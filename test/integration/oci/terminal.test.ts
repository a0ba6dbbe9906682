import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ociLab } from '../../helpers/oci-bundle.js';

/** Takes a terminal from a console socket as an engine would, and prints what it reads there. Node receives no descriptors. */
const receiver = `
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(1)
print('listening', flush=True)
connection, _ = server.accept()
_, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_LEN(4))
terminal = array.array('i', ancillary[0][2])[0]
os.write(terminal, b'echo typed $((6*7))\\nexit\\n')
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    sys.stdout.buffer.write(data)
`;

test('the terminal goes to the console socket, with its size', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sh', '-c', 'tty; stty size; exec sh'], (config) => {
    config.process['terminal'] = true;
    config.process['consoleSize'] = { width: 101, height: 33 };
  });
  const socket = join(lab.bundle, 'console');
  const child = spawn('python3', ['-c', receiver, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const listening = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
      if (text.startsWith('listening')) resolve();
    });
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await listening;
  assert.equal((await lab.oci('create', '--console-socket', socket, 'a')).exitCode, 0);
  assert.equal((await lab.oci('start', 'a')).exitCode, 0);
  await ended;
  assert.match(text, /\/dev\/pts\/0/);
  assert.match(text, /33 101/);
  assert.match(text, /typed 42/);
});

test('a terminal that nobody takes is refused for a detached container', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sh'], (config) => {
    config.process['terminal'] = true;
  });
  const { exitCode, stderr } = await lab.oci('run', '-d', 'b');
  assert.equal(exitCode, 1);
  assert.match(stderr, /use --console-socket/);
});
