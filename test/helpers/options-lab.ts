import { writeFile } from 'node:fs/promises';
import type { Container, ContainerOptions } from 'tscontainer';
import { file } from './busybox-layer.js';
import { compileProbe } from './compile-probe.js';
import { type EngineLab, openEngineLab } from './engine-lab.js';
import { runProgram } from './run-program.js';

/** What a program sees, by the keys of test/fixtures/options-probe.c. */
export type Seen = Readonly<Record<string, string>>;

/** An engine with an image that has the probe, and what the probe says where. */
export interface OptionsLab extends AsyncDisposable {
  readonly lab: EngineLab;
  readonly image: string;
  /** In a container of its own with these options. */
  see(options: Partial<ContainerOptions>, ...keys: readonly string[]): Promise<Seen>;
  /** As a further process of a container. */
  seeIn(container: Container, keys: readonly string[], options?: object): Promise<Seen>;
  /** On the host. */
  seeOnHost(...keys: readonly string[]): Promise<Seen>;
  start(options?: Partial<ContainerOptions>): Promise<Container>;
}

export async function openOptionsLab(): Promise<OptionsLab> {
  const probe = await compileProbe('options-probe');
  const lab = await openEngineLab();
  const image = lab.image([file('probe', probe, 0o755)]);
  const program = `${lab.directory}/probe`;
  await writeFile(program, probe, { mode: 0o755 });
  const base = { image, network: 'none', command: ['sleep', '100000'] } as const;
  return {
    lab,
    image,
    see: async (options, ...keys) => {
      const { lifetime: _l, stdinOnce: _s, log: _g, restart: _r, image: _i, command: _c, ...rest } = options;
      const { stdout, stderr, exitCode } = await lab.engine.run(image, ['/probe', ...keys], {
        network: 'none',
        ...rest,
      });
      if (exitCode !== 0) throw new Error(`the probe ended with ${exitCode}: ${stderr}`);
      return parse(stdout);
    },
    seeIn: async (container, keys, options = {}) => parse((await container.exec(['/probe', ...keys], options)).stdout),
    seeOnHost: async (...keys) => parse((await runProgram(program, keys)).stdout),
    start: async (options = {}) => {
      const container = await lab.engine.containers.create({ ...base, ...options });
      await container.start();
      return container;
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

function parse(text: string): Seen {
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [key = '', value = ''] = line.split(/=(.*)/s);
      return [key, value];
    }),
  );
}
