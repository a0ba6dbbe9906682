import type { ImageHealthcheck, ImageRunConfig } from '../core/image-config.js';

/** What containers of an image are started with: {@link ImageRunConfig} with the names of this library's options. */
export interface ImageStartConfig {
  /** `''` is root. */
  readonly user: string;
  /** `80/tcp` */
  readonly exposedPorts: readonly string[];
  /** `KEY=value` */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** Absolute paths. */
  readonly volumes: readonly string[];
  /** `''` is the root directory. */
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string | undefined;
  readonly shell: readonly string[];
  readonly healthcheck: ImageStartHealthcheck | undefined;
  readonly onBuild: readonly string[];
}

/** How it is found out whether a container is well. */
export interface ImageStartHealthcheck {
  readonly test: readonly string[];
  readonly intervalMs: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly startPeriodMs: number | undefined;
  readonly startIntervalMs: number | undefined;
  readonly retries: number | undefined;
}

export function imageStartConfig(config: ImageRunConfig): ImageStartConfig {
  return {
    user: config.User ?? '',
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    env: config.Env ?? [],
    entrypoint: config.Entrypoint ?? [],
    cmd: config.Cmd ?? [],
    volumes: Object.keys(config.Volumes ?? {}),
    workingDir: config.WorkingDir ?? '',
    labels: config.Labels ?? {},
    stopSignal: config.StopSignal || undefined,
    shell: config.Shell ?? [],
    healthcheck: config.Healthcheck && startHealthcheck(config.Healthcheck),
    onBuild: config.OnBuild ?? [],
  };
}

function startHealthcheck(check: ImageHealthcheck): ImageStartHealthcheck {
  const toMs = (nanoseconds: number | undefined): number | undefined =>
    nanoseconds === undefined ? undefined : nanoseconds / 1e6;
  return {
    test: check.Test ?? [],
    intervalMs: toMs(check.Interval),
    timeoutMs: toMs(check.Timeout),
    startPeriodMs: toMs(check.StartPeriod),
    startIntervalMs: toMs(check.StartInterval),
    retries: check.Retries,
  };
}
