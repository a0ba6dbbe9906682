/** Lets at most `slots` pieces of work run at once; the others wait in their order. */
export class Semaphore {
  readonly #waiting: (() => void)[] = [];

  constructor(private slots: number) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.slots > 0) this.slots -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.slots += 1;
      else next();
    }
  }
}
