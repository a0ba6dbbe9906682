import { invalidOption } from '../../container/invalid-option.js';
import type { ServiceDefinition } from './service-definition.js';

/**
 * Whom each service depends on.
 *
 * @throws EngineError `INVALID_OPTION` for a name that is none, a dependency that is not there, and a circle.
 */
export function serviceGraph(
  definitions: Readonly<Record<string, ServiceDefinition>>,
): ReadonlyMap<string, readonly string[]> {
  const graph = new Map<string, readonly string[]>();
  for (const [name, definition] of Object.entries(definitions)) {
    if (!/^[a-zA-Z][a-zA-Z0-9_-]*$/.test(name)) {
      throw invalidOption('services', 'names of letters, digits, - and _ that begin with a letter', name);
    }
    if (typeof definition !== 'object' || definition === null)
      throw invalidOption(name, 'options of a service', definition);
    graph.set(name, definition.dependsOn ?? []);
  }
  for (const [name, dependsOn] of graph) {
    for (const each of dependsOn) {
      if (!graph.has(each)) throw invalidOption(`${name}.dependsOn`, `one of ${[...graph.keys()].join(', ')}`, each);
    }
  }
  refuseCircles(graph);
  return graph;
}

function refuseCircles(graph: ReadonlyMap<string, readonly string[]>): void {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    const start = trail.indexOf(name);
    if (start >= 0) {
      const circle = [...trail.slice(start), name].join(' → ');
      throw invalidOption(`${name}.dependsOn`, 'services that do not depend on each other', circle);
    }
    if (done.has(name)) return;
    for (const each of graph.get(name) ?? []) visit(each, [...trail, name]);
    done.add(name);
  };
  for (const name of graph.keys()) visit(name, []);
}
