import type { ErrorTable } from './error-definition.js';

/** Errors of checkpoints. */
export interface CheckpointErrors {
  /** `program` was looked for in the directories `searched`. */
  CRIU_MISSING: { readonly program: string; readonly searched: readonly string[]; readonly hint: string };
  /** It is there, and says itself why it does not work on this host. */
  CRIU_UNUSABLE: { readonly program: string; readonly reason: string; readonly hint: string };
  CHECKPOINT_FAILED: {
    readonly id: string;
    readonly action: 'checkpoint' | 'restore';
    /** What criu has said first. */
    readonly reason: string;
  };
  CHECKPOINT_UNSUPPORTED: { readonly id: string; readonly reason: string };
  NO_SUCH_CHECKPOINT: { readonly id: string; readonly name: string };
}

export const checkpointErrors: ErrorTable<CheckpointErrors> = {
  CRIU_MISSING: {
    kind: 'unsupported',
    message: (d) => `${d.program} not found in ${d.searched.join(', ')}; ${d.hint}`,
  },
  CRIU_UNUSABLE: { kind: 'unsupported', message: (d) => `${d.program} does not work here: ${d.reason}; ${d.hint}` },
  CHECKPOINT_FAILED: { kind: 'unavailable', message: (d) => `${d.action} of container ${d.id}: ${d.reason}` },
  CHECKPOINT_UNSUPPORTED: { kind: 'unsupported', message: (d) => `no checkpoint of container ${d.id}: ${d.reason}` },
  NO_SUCH_CHECKPOINT: { kind: 'not-found', message: (d) => `container ${d.id} has no checkpoint '${d.name}'` },
};
