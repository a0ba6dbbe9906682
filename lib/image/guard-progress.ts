/** Guards the work against its listener: what that throws is dropped, since progress must not decide about the work. */
export function guardProgress<T>(listener: ((progress: T) => void) | undefined): (progress: T) => void {
  return (progress) => {
    try {
      listener?.(progress);
    } catch {
      // documented above: a listener that throws changes nothing
    }
  };
}
