/** What the guest tells the host, one line of JSON each. */
export type GuestEvent =
  /** The tests begin. */
  | { readonly kind: 'ready'; readonly uptimeMs: number }
  | {
      readonly kind: 'pass' | 'skip';
      readonly file: string;
      readonly name: string;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'fail';
      readonly file: string;
      readonly name: string;
      readonly durationMs: number;
      readonly message: string;
    }
  /** All files were run. */
  | { readonly kind: 'end' };
