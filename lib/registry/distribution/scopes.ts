/** Access to a repository. @see Docker Registry v2 authentication, "Token Scope Documentation" */
export function repositoryScope(repository: string, ...actions: readonly ('pull' | 'push' | 'delete')[]): string {
  return `repository:${repository}:${actions.join(',')}`;
}

/** Access to the list of repositories. */
export const catalogScope = 'registry:catalog:*';

/**
 * Both sets of scopes, each resource once with all of its actions: what a registry asks for in its challenge, and what
 * the request is known to take (a mount needs more than the registry says).
 */
export function mergeScopes(asked: string | undefined, wanted: readonly string[]): readonly string[] {
  const merged = new Map<string, Set<string>>();
  for (const scope of [...(asked ?? '').split(' '), ...wanted]) {
    const colon = scope.lastIndexOf(':');
    if (colon < 1) continue;
    const resource = scope.slice(0, colon);
    const actions = merged.get(resource) ?? new Set();
    merged.set(resource, actions);
    for (const action of scope.slice(colon + 1).split(',')) actions.add(action);
  }
  return [...merged].map(([resource, actions]) => `${resource}:${[...actions].join(',')}`);
}
