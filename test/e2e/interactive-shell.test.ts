import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Engine } from 'tscontainer';
import { rememberRunRoots } from '../helpers/run-roots.js';
import { openTerminalWindow, type TerminalWindow } from '../helpers/terminal-window.js';

const program = fileURLToPath(new URL('../../examples/10-shell.js', import.meta.url));

describe('the shell example in a terminal', () => {
  let root: string;
  let engine: Engine;
  let forgetRunRoots: () => Promise<void>;
  let window: TerminalWindow;

  before(async () => {
    forgetRunRoots = await rememberRunRoots();
    root = await mkdtemp('/var/lib/tsc-shell-');
    engine = await Engine.open({ root });
  });
  beforeEach(async () => {
    window = await openTerminalWindow();
    await window.line('S=$(stty -g)');
  });
  afterEach(async () => {
    await window[Symbol.asyncDispose]();
    for (const each of await engine.containers.list()) await each.remove({ force: true });
  });
  after(async () => {
    await engine.close();
    await rm(root, { recursive: true });
    await forgetRunRoots();
  });

  const start = async (): Promise<void> => {
    await window.line(`clear; ${process.execPath} ${program} --root ${root}; echo "left with $?"`);
    await window.shows(/@[0-9a-f]{12}:.*[#$] *$/m);
    await window.line("PS1='in''ner$ '");
    await window.shows(/^inner\$$/m);
  };
  const isSane = async (): Promise<void> => {
    await window.line('clear; [ "$(stty -g)" = "$S" ] && echo "same ""modes"; stty -a | grep -o " icanon\\| echo\\b"');
    await window.shows(/^same modes\n icanon\n echo$/m);
    assert.equal(await window.format('#{alternate_on} #{cursor_flag}'), '0 1');
  };

  test('vim draws in the size of the window, also of one that changes', async () => {
    await start();
    await window.line('vim.tiny -u NONE -c "set ruler laststatus=2" /tmp/file');
    await window.shows(/^~$[\s\S]*\/tmp\/file/m);
    assert.equal((await window.screen()).split('\n').filter((line) => line === '~').length, 21);
    await window.resize(100, 30);
    await window.shows(/(^~\n){27}/m);
    await window.press('Escape');
    await window.line(':q!');
    await window.line('stty size');
    await window.shows(/^30 100$/m);
    await window.line('exit 7');
    await window.shows(/^left with 7$/m);
    await isSane();
  });

  test('ctrl-c, ctrl-z and fg are for the programs in the container; ctrl-p ctrl-q leaves it', async () => {
    await start();
    await window.line('echo "go""ing"; sleep 1000');
    await window.shows(/^going$/m);
    await window.press('C-c');
    await window.shows(/\^C\ninner\$$/m);
    await window.line('cat');
    await window.line('here');
    await window.shows(/^here\nhere$/m);
    await window.press('C-z');
    await window.shows(/Stopped +cat/);
    await window.line('fg');
    await window.line('again there');
    await window.shows(/^again there\nagain there$/m);
    await window.press('C-d');
    await window.shows(/again there\ninner\$$/m);
    await window.press('C-p', 'C-q');
    await window.shows(/^left with 0$/m);
    await isSane();
    const [container] = await engine.containers.list();
    await window.line(`clear; ${process.execPath} ${program} --root ${root} --attach ${container?.name}`);
    await window.press('Enter');
    await window.shows(/^inner\$$/m);
    await window.line('exit');
    await window.shows(/outer\$$/m);
    await isSane();
    assert.deepEqual(await engine.containers.list(), []);
  });

  const inVim = async (): Promise<void> => {
    await start();
    await window.line('vim.tiny -u NONE /tmp/file');
    await window.shows(/^~$/m);
  };

  test('the terminal is as before when the container is killed', async () => {
    await inVim();
    const [container] = await engine.containers.list();
    await container?.kill();
    await window.shows(/^left with 137$/m);
    await isSane();
  });

  for (const [signal, number] of [
    ['TERM', 15],
    ['HUP', 1],
    ['QUIT', 3],
    ['INT', 2],
  ] as const) {
    test(`the terminal is as before when SIG${signal} ends the program`, async () => {
      await inVim();
      process.kill(Number(await programPid()), `SIG${signal}`);
      await window.shows(new RegExp(`^left with ${128 + number}$|outer\\$ *$`, 'm'));
      await isSane();
    });
  }

  test('the terminal is as before while the program is stopped, and raw again after', async () => {
    await start();
    process.kill(Number(await programPid()), 'SIGTSTP');
    await window.shows(/Stopped/);
    await isSane();
    await window.line('fg');
    await window.line('stty size');
    await window.shows(/^24 80$/m);
    await window.line('echo "go""ing"; sleep 1000');
    await window.shows(/^going$/m);
    await window.press('C-c');
    await window.shows(/\^C\ninner\$$/m);
  });

  /** The only child of the window's shell. */
  async function programPid(): Promise<string> {
    const shell = await window.format('#{pane_pid}');
    const children = await readFile(join('/proc', shell, 'task', shell, 'children'), 'utf8');
    return children.trim();
  }
});
