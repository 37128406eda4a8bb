import { MAX_READY_SECONDS } from "../../../contract/rows/service-fields.ts"
import { typed } from "../../../contract/text/printable.ts"
import { signalNumber } from "../../../contract/text/signals.ts"
import { DEFAULT_SHELL, type HealthCheck, type ImageProgram } from "../../../lib/environment/model/image-config.ts"
import type { Check } from "./state.ts"

/** Docker's defaults for a health check. */
const DEFAULT_MS = 30_000
const DEFAULT_RETRIES = 3

/** Maximum time between two tries, in ms: that of Docker while a container starts. */
const MAX_PAUSE_MS = 5_000

/** The check of an image, and its times. */
interface ImageCheck {
  readonly check: Check
  /** Absent: pyro chooses the time. */
  readonly readyIntervalMs?: number
  readonly readyTimeoutSeconds: number
}

/**
 * The health check of an image as the readiness of a service: the same program, tried until it succeeds, for the time after which Docker calls a
 * container unhealthy.
 */
const checkOf = (
  { intervalMs, retries = DEFAULT_RETRIES, startIntervalMs, startPeriodMs = 0, test, timeoutMs = DEFAULT_MS }:
    HealthCheck,
  shell = DEFAULT_SHELL
): ImageCheck | undefined => {
  const [kind, ...words] = test
  if (words.length === 0) return undefined
  const argv = kind === "CMD-SHELL" ? [...shell, words[0]!] : words
  const pauseMs = startIntervalMs ?? intervalMs
  const longestMs = startPeriodMs + retries * ((intervalMs ?? DEFAULT_MS) + timeoutMs)
  return {
    check: { _tag: "command", script: kind === "CMD-SHELL" ? words[0]! : typed(words), argv, timeoutMs },
    ...(pauseMs === undefined ? {} : { readyIntervalMs: Math.max(10, Math.min(pauseMs, MAX_PAUSE_MS)) }),
    readyTimeoutSeconds: Math.min(MAX_READY_SECONDS, Math.max(1, Math.ceil(longestMs / 1000)))
  }
}

/** Fields of a service that runs the command of the workspace's image. */
export interface OfImage extends Partial<ImageCheck> {
  readonly command: ReadonlyArray<string>
  readonly stopSignal?: number
}

export const serviceOfImage = ({ command, entrypoint, healthCheck, shell, stopSignal }: ImageProgram): OfImage => {
  // An unknown name counts as absent.
  const signal = stopSignal === undefined ? undefined : signalNumber(stopSignal)
  return {
    command: [...entrypoint, ...command],
    ...(signal === undefined ? {} : { stopSignal: signal }),
    ...(healthCheck === undefined ? {} : checkOf(healthCheck, shell))
  }
}
