import { listIds } from './container-record.js';
import type { RuntimeContext } from './runtime-context.js';
import { UsageError } from './usage-error.js';

/** One id, or with `regex` every id in which the expression is found. */
export function selectContainers(context: RuntimeContext, text: string, regex: boolean): readonly string[] {
  if (!regex) return [text];
  let expression: RegExp;
  try {
    expression = new RegExp(text);
  } catch {
    throw new UsageError(`'${text}' is no regular expression`);
  }
  return listIds(context).filter((id) => expression.test(id));
}
