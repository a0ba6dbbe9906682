/** A pause that somebody else can end. It does not keep the process alive. */
export class WakeableSleep {
  #wake: () => void = () => undefined;

  /** So long, or until an abort or {@link wake}. */
  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', settle);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(settle, milliseconds).unref();
      signal.addEventListener('abort', settle, { once: true });
      this.#wake = settle;
    });
  }

  wake(): void {
    this.#wake();
  }
}
