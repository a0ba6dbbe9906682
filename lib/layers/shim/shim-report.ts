/** What a role of the shim has said on descriptor 3. Names are bytes: strings hold one byte per character (latin1). */
export interface ShimReport {
  /** Directories that the archive implies without an entry. */
  readonly implicit: readonly string[];
  /** Hard links to something that is not in the layer. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Attributes of the root directory, if the archive has an entry for it. */
  readonly root: RootAttributes | undefined;
  /** The root directory shows nothing of the layers below. */
  readonly rootOpaque: boolean;
  /** What a container has changed. */
  readonly changes: readonly { readonly kind: 'a' | 'c' | 'd'; readonly path: string }[];
  /** What is at a path: numbers as native/src/container-files.c writes them, and the target of a link. */
  readonly status: { readonly numbers: string; readonly target: string } | undefined;
  readonly warnings: readonly { readonly entry: string; readonly text: string }[];
  readonly entries: number;
  readonly bytes: number;
  /** Undefined after success. */
  readonly failure: ShimFailure | undefined;
  /** True when the last record has arrived. */
  readonly isComplete: boolean;
}

export interface RootAttributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** Seconds with nine decimals. */
  readonly mtime: string;
}

export interface ShimFailure {
  readonly errno: number;
  readonly operation: string;
  readonly detail: string;
  readonly entry: string;
}

const fieldCounts: Readonly<Record<string, number>> = {
  D: 1,
  H: 2,
  R: 2,
  O: 0,
  W: 2,
  S: 2,
  E: 4,
  a: 1,
  c: 1,
  d: 1,
  F: 2,
};

/** Decodes the records that native/src/layer-report.c describes. Bytes after the last whole record are left out. */
export function parseShimReport(bytes: Buffer): ShimReport {
  const implicit: string[] = [];
  const links: { path: string; target: string }[] = [];
  const warnings: { entry: string; text: string }[] = [];
  const changes: { kind: 'a' | 'c' | 'd'; path: string }[] = [];
  let status: ShimReport['status'];
  let root: RootAttributes | undefined;
  let failure: ShimFailure | undefined;
  let totals: readonly [entries: number, bytes: number] | undefined;
  let rootOpaque = false;
  for (const [type, first = '', second = '', third = '', fourth = ''] of records(bytes)) {
    if (type === 'D') implicit.push(first);
    else if (type === 'H') links.push({ path: first, target: second });
    else if (type === 'W') warnings.push({ entry: first, text: second });
    else if (type === 'O') rootOpaque = true;
    else if (type === 'a' || type === 'c' || type === 'd') changes.push({ kind: type, path: first });
    else if (type === 'F') status = { numbers: first, target: second };
    else if (type === 'R') root = parseRoot(first, second);
    else if (type === 'S') totals = [Number(first), Number(second)];
    else failure = { errno: Number(first), operation: second, detail: third, entry: fourth };
  }
  implicit.sort(); // a directory comes before what is in it
  const [entries, writtenBytes] = totals ?? [0, 0];
  const isComplete = totals !== undefined || failure !== undefined;
  return {
    implicit,
    links,
    root,
    rootOpaque,
    changes,
    status,
    warnings,
    entries,
    bytes: writtenBytes,
    failure,
    isComplete,
  };
}

function* records(bytes: Buffer): Generator<string[]> {
  for (let at = 0; at < bytes.length; ) {
    const type = String.fromCharCode(bytes[at] ?? 0);
    const fields = [type];
    at += 1;
    for (let count = fieldCounts[type] ?? 0; count > 0; count--) {
      const end = bytes.indexOf(0, at);
      if (end < 0) return;
      fields.push(bytes.toString('latin1', at, end));
      at = end + 1;
    }
    yield fields;
  }
}

function parseRoot(owner: string, mtime: string): RootAttributes {
  const [uid = 0, gid = 0, mode = 0] = owner.split(':').map(Number);
  return { uid, gid, mode, mtime };
}
