/** What has passed one network interface since it was made. */
export interface InterfaceCounters {
  readonly name: string;
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly receiveErrors: number;
  readonly receiveDropped: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly sendErrors: number;
  readonly sendDropped: number;
}

/**
 * The interfaces of /proc/PID/net/dev, without loopback, at most `max`. Who may make interfaces in a container gives them
 * any name of up to 15 bytes without white space, slash and colon. @see proc(5)
 */
export function parseInterfaceCounters(text: string, max: number): readonly InterfaceCounters[] {
  const found: InterfaceCounters[] = [];
  for (const line of text.split('\n')) {
    const [, name, rest = ''] = /^\s*([^\s:]+):\s*([\d ]+)$/.exec(line) ?? [];
    if (name === undefined || name === 'lo') continue;
    const numbers = rest.split(/\s+/).map(Number);
    const at = (index: number): number => numbers[index] ?? 0;
    found.push({
      name,
      receivedBytes: at(0),
      receivedPackets: at(1),
      receiveErrors: at(2),
      receiveDropped: at(3),
      sentBytes: at(8),
      sentPackets: at(9),
      sendErrors: at(10),
      sendDropped: at(11),
    });
    if (found.length === max) break;
  }
  return found;
}
