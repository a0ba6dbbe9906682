const LONGEST = 300;

/** The first line of a log of criu that tells of an error, without its time and the place in criu's source. */
export function firstComplaint(log: string): string | undefined {
  const line = log.split('\n').find((each) => /^(?:\(\d+\.\d+\)\s+)?(?:\s*\d+: )?\s*Error \(/.test(each));
  const text = line?.replace(/^.*?Error \([^)]*\):\s*/, '').replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return text?.trim().slice(0, LONGEST);
}
