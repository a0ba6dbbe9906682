import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A row of the table in native/src/operations.c. */
export interface NativeOperation {
  readonly code: number;
  readonly name: string;
  readonly signature: string;
  /** Stages in which the shim accepts it. */
  readonly stages: readonly string[];
}

/** The table as the C compiler sees it, by code. */
export function nativeOperations(): ReadonlyMap<number, NativeOperation> {
  const rows = [...nativeSource('operations.c').matchAll(/^\s*\{ (\d+), "([^"]*)", "([^"]*)", ([A-Z |]+), tsc_op_/gm)];
  return new Map(
    rows.map(([, code, name = '', signature = '', stages = '']) => [
      Number(code),
      { code: Number(code), name, signature, stages: stages.split('|').map((stage) => stage.trim().toLowerCase()) },
    ]),
  );
}

/** The value of a `#define` or an enumerator with a number, as written in a file of native/src. */
export function nativeConstant(file: string, name: string): string {
  const value = new RegExp(`(?:#define ${name} |\\b${name} = )([^,\\n/]*)`).exec(nativeSource(file))?.[1];
  if (value === undefined) throw new Error(`${file} has no ${name}`);
  return value.trim();
}

function nativeSource(file: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../native/src/${file}`, import.meta.url)), 'utf8');
}
