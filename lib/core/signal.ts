import { constants } from 'node:os';

const names = new Map<number, string>();
for (const [name, number] of Object.entries(constants.signals)) {
  if (!names.has(number)) names.set(number, name);
}

/** `SIGTERM` for 15; real-time signals are `SIGRTMIN+n`. @see signal(7) */
export function signalName(number: number): string {
  return names.get(number) ?? (number >= 34 && number <= 64 ? `SIGRTMIN+${number - 34}` : `signal ${number}`);
}
