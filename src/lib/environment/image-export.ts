import { parseReference } from "../../contract/text/image-reference.ts"
import { named } from "../../contract/text/names.ts"
import type { Environment } from "./image/environment.ts"
import { type HealthCheck, userOf } from "./model/image-config.ts"

/** What rootfs/image is asked for, to make an archive of an environment. */
export interface ExportRequest {
  readonly architecture: "amd64"
  /** Time that the image has, ISO 8601. */
  readonly created: string
  /** Name of the image in the archive. Absent: it has none. */
  readonly tag?: string | undefined
  /** The `config` of an image's configuration, as the OCI image specification (config.md) names its parts. */
  readonly config: Readonly<Record<string, unknown>>
}

/** Variables of pyro's own environments, as of a command in a workspace. */
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const NS_PER_MS = 1_000_000

const healthcheckOf = (
  { intervalMs, retries, startIntervalMs, startPeriodMs, test, timeoutMs }: HealthCheck
) => {
  const times = { Interval: intervalMs, Timeout: timeoutMs, StartPeriod: startPeriodMs, StartInterval: startIntervalMs }
  return {
    Test: test,
    ...named(Object.entries(times).flatMap(([name, ms]) => ms === undefined ? [] : [[name, ms * NS_PER_MS] as const])),
    ...(retries === undefined ? {} : { Retries: retries })
  }
}

/** The `config` of an environment's image. */
export const configOf = ({ oci }: Pick<Environment, "oci">): ExportRequest["config"] => {
  if (oci === undefined) return { Env: [PATH], Cmd: ["/bin/bash"] }
  const { command, entrypoint, env, exposedPorts, healthCheck, labels, shell, stopSignal, volumes = [] } = oci.config
  const { onBuild, workingDirectory } = oci.config
  const user = userOf(oci.config)
  return {
    Env: env,
    ...(user === undefined ? {} : { User: user }),
    ...(workingDirectory === undefined ? {} : { WorkingDir: workingDirectory }),
    ...(entrypoint.length === 0 ? {} : { Entrypoint: entrypoint }),
    ...(command.length === 0 ? {} : { Cmd: command }),
    ...(exposedPorts.length === 0 ? {} : { ExposedPorts: named(exposedPorts.map((port) => [port, {}])) }),
    ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
    ...(labels === undefined ? {} : { Labels: labels }),
    ...(healthCheck === undefined ? {} : { Healthcheck: healthcheckOf(healthCheck) }),
    ...(shell === undefined ? {} : { Shell: shell }),
    ...(onBuild === undefined ? {} : { OnBuild: onBuild }),
    ...(volumes.length === 0 ? {} : { Volumes: named(volumes.map((volume) => [volume, {}])) })
  }
}

/** The name that Docker gives a loaded image. Undefined if the environment's name cannot be one. */
const tagOf = (environment: string): string | undefined => {
  const reference = parseReference(environment)
  if (reference !== undefined) {
    return reference.tag === undefined ? undefined : `${reference.registry}/${reference.repository}:${reference.tag}`
  }
  const tagged = environment.includes(":") ? environment : `${environment}:latest`
  return parseReference(`docker.io/${tagged}`) === undefined ? undefined : tagged
}

export const exportRequest = (environment: Environment): ExportRequest => ({
  architecture: "amd64",
  created: environment.builtAt,
  tag: tagOf(environment.name),
  config: configOf(environment)
})
