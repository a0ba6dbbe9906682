/**
 * The v2 weight (1 to 10000) of v1 shares (2 to 262144). A curve through (2, 1), (1024, 100) and (262144, 10000): the
 * linear formula of former times made the default of 1024 a weight of 39.
 *
 * @see opencontainers/cgroups, ConvertCPUSharesToCgroupV2Value; crun uses the same curve since 1.23
 */
export function cpuWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}
