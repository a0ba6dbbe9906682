/** One entry of the packed tree. Paths are absolute inside the image; owners are all root. */
export type TreeEntry = DirectoryEntry | LinkEntry | TextEntry | FileEntry;

export interface DirectoryEntry {
  readonly type: 'directory';
  readonly mode: number;
}

export interface LinkEntry {
  readonly type: 'link';
  readonly target: string;
}

export interface TextEntry {
  readonly type: 'text';
  readonly mode: number;
  readonly text: string;
}

/** A regular file of the host. */
export interface FileEntry {
  readonly type: 'file';
  readonly mode: number;
  readonly source: string;
  readonly size: number;
}
