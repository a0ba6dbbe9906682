import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. Compiled tests live in build/test/architecture. */
export const repository = fileURLToPath(new URL('../../..', import.meta.url));

export interface SourceFile {
  /** Relative to the repository, with slashes: `lib/core/digest.ts`. */
  readonly path: string;
  readonly lines: readonly string[];
}

export interface SourceImport {
  /** `lib/core/digest.ts` for relative specifiers, the specifier itself for packages and `node:` modules. */
  readonly target: string;
  readonly isPackage: boolean;
  readonly isTypeOnly: boolean;
  /** `lib/a/b.ts:3: import { x } from '../c.js';`, as an editor can open it. */
  readonly where: string;
}

/** TypeScript files below a folder of the repository. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort()
    .map((name) => {
      const path = join(folder, name).split(sep).join('/');
      return { path, lines: readFileSync(join(repository, path), 'utf8').split('\n') };
    });
}

/** Static imports, re-exports and `import('…')` with a literal, in types and in code. */
export function importsOf(file: SourceFile): SourceImport[] {
  const text = file.lines.join('\n');
  const statements = /^(?:import|export)\b(?<clause>[^;'"]*?)\bfrom\s*['"](?<from>[^'"]+)['"]/gm;
  const bare = /^import\s*['"](?<from>[^'"]+)['"]/gm;
  const dynamic = /\b(?:import|require|createRequire\([^)]*\))\s*\(\s*['"](?<from>[^'"]+)['"]/g;
  return [statements, bare, dynamic].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => {
      const { from = '', clause } = match.groups ?? {};
      const line = text.slice(0, match.index).split('\n').length;
      const isPackage = !from.startsWith('.');
      return {
        target: isPackage ? from : normalize(join(dirname(file.path), from)).replace(/\.js$/, '.ts'),
        isPackage,
        isTypeOnly: clause !== undefined && /^\s*type\b/.test(clause),
        where: `${file.path}:${line}: ${match[0].replace(/\s+/g, ' ').trim()}`,
      };
    }),
  );
}

/** Lines that match, as `path:line: text`; comments do not count. */
export function linesMatching(file: SourceFile, pattern: RegExp): string[] {
  return file.lines.flatMap((line, index) =>
    pattern.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line) ? [`${file.path}:${index + 1}: ${line.trim()}`] : [],
  );
}
