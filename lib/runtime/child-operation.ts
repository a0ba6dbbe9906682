export type ChildOperation = never;
