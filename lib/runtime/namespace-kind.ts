/** A kind of namespace. @see namespaces(7) */
export type NamespaceKind = 'mount' | 'pid' | 'ipc' | 'uts' | 'net' | 'cgroup' | 'user' | 'time';
