import type { Result } from './measurement.js';
import { percentile } from './statistics.js';

const reference = 'tscontainer';

/** One table per measurement: p50, p95, best, and how many times our p50 each takes (or the best p50, without us). */
export function printResults(results: readonly Result[], print: (line: string) => void): void {
  for (const measurement of new Set(results.map((each) => each.measurement))) {
    const rows = results
      .filter((each) => each.measurement === measurement && each.samples.length > 0)
      .map((each) => ({ ...each, p50: percentile(each.samples, 0.5) }))
      .sort((a, b) => a.p50 - b.p50);
    const base = rows.find((each) => each.contestant === reference) ?? rows[0];
    if (base === undefined) continue;
    print(`\n${base.title} (${base.unit})`);
    print(row('', 'p50', 'p95', 'min', 'n', `× ${base.contestant}`));
    for (const { contestant, samples, p50 } of rows) {
      const figures = [p50, percentile(samples, 0.95), Math.min(...samples)].map(rounded);
      const ratio = base.p50 > 0 ? rounded(p50 / base.p50) : '–';
      print(row(contestant, ...figures, String(samples.length), ratio));
    }
  }
}

/** What could not be measured, each with its reason. */
export function printFailures(results: readonly Result[], print: (line: string) => void): void {
  for (const { contestant, measurement, failure } of results) {
    if (failure !== undefined) print(`\n${contestant} failed at ${measurement}: ${failure}`);
  }
}

const row = (name: string, ...cells: readonly string[]): string =>
  `  ${name.padEnd(14)}${cells.map((cell) => cell.padStart(cell.startsWith('×') ? 18 : 10)).join('')}`;

const rounded = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
