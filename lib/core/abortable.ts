/** The base of the options of everything slow. */
export interface Abortable {
  /** Ends the work; the promise rejects with `signal.reason`. Default: never. */
  readonly signal?: AbortSignal | undefined;
}
