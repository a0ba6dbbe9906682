/** @see OCI runtime-spec, runtime.md, "State" */
export type OciStatus = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: OciStatus;
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The version of the specification that this package follows. */
export const supportedOciVersion = '1.2.1';

/** The JSON text of a state in two parts, for hooks: only the shim knows the pid that belongs between them. */
export function stateAroundPid(state: Omit<OciState, 'pid'>): { before: string; after: string } {
  const { ociVersion, id, status, ...rest } = state;
  return {
    before: `${JSON.stringify({ ociVersion, id, status }).slice(0, -1)},"pid":`,
    after: `,${JSON.stringify(rest).slice(1)}`,
  };
}
