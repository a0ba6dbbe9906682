import type { OptionSpecs } from './parse-arguments.js';

export const programName = 'tscontainer-oci';

export function commandHelp(usage: string, specs: OptionSpecs): string {
  return [`Usage: ${programName} [OPTION...] ${usage}`, '', ...optionLines(specs), ''].join('\n');
}

export function optionLines(specs: OptionSpecs): readonly string[] {
  const rows = Object.entries(specs).map(([name, { kind, short, help }]) => {
    const value = kind === 'flag' ? '' : kind === 'number' ? ' N' : ' VALUE';
    return [`${short === undefined ? '    ' : `-${short}, `}--${name}${value}`, help] as const;
  });
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`);
}
