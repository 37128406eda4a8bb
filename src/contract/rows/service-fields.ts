import { Schema } from "effect"
import { between, described, integer, matching, milliseconds, must, optional, string, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { graceSeconds } from "./command.ts"
import { lazy } from "./operation.ts"
import { GuestPort, HostPort } from "./workspace-port.ts"

/** Name of a service in its workspace. */
export const serviceName = lazy(() =>
  Schema.String.pipe(
    matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "must be 1 to 63 letters, digits, '.', '_' and '-'"),
    described("Name of the service")
  )
)

export const DEFAULT_READY_SECONDS = 60
export const MAX_READY_SECONDS = 3_600
/** Servers that save their state at SIGTERM need more time than a command. */
export const DEFAULT_STOP_SECONDS = 5

/** A URL of a server in the guest: the probe connects to the guest's loopback. */
const READY_URL = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(\/[\x21-\x7e]*)?$/

/** The check that a service is ready. At most one. */
export const readinessFields = () => ({
  readyTcp: optional(
    between({
      from: 1,
      to: 65_535,
      description: "The service is ready when this TCP port of the guest accepts a connection on the loopback address"
    })
  ),
  readyHttp: optional(
    Schema.String.pipe(
      // The URL parser refuses ports above 65535, and 0 is no port.
      must(
        (url) => url.length <= 2_000 && READY_URL.test(url) && URL.canParse(url) && new URL(url).port !== "0",
        "must be http://localhost[:PORT][/PATH], with localhost, 127.0.0.1 or [::1] as the host"
      ),
      described(
        "The service is ready when this URL of the guest answers with a status of 200 to 399. Only http " +
          "on localhost; pyro follows no redirect"
      )
    )
  ),
  readyFile: optional(
    text("").pipe(
      must((path) => path !== "", "must be a path in the guest"),
      described(
        "The service is ready when this file of the guest exists. A relative path is relative to /workspace. " +
          "A file that exists before the start counts too"
      )
    )
  ),
  readyCommand: optional(
    text("").pipe(
      must((script) => script.trim() !== "", "must be a shell script"),
      described(
        "The service is ready when this shell script ends with status 0. It runs again and again, as the " +
          "service's user, with its variables and in its directory. `ready_timeout_seconds` bounds all of them together"
      )
    )
  ),
  readyIntervalMs: optional(between({
    from: 10,
    to: 600_000,
    unit: "ms",
    description: "Time between two tries of the check. Default: 25 ms, and longer after a try that took long"
  })),
  readyTimeoutSeconds: optional(
    Schema.Number.pipe(
      must((seconds) => seconds > 0 && seconds <= MAX_READY_SECONDS, "must be more than 0 and at most 3600 seconds"),
      described(
        "Seconds until a service that is not ready is stopped and counts as failed. More than 0, at most 3600. " +
          `Default: ${DEFAULT_READY_SECONDS}, or what the image's health check says`
      )
    )
  )
})

export const stopSeconds = (description: string) => optional(graceSeconds(description))

export const ServiceState = lazy(() =>
  Schema.Literals(["starting", "ready", "running", "paused", "exited", "failed", "stopped"]).annotate({
    description:
      "`starting`: not ready yet, or about to start again. `ready`: its check succeeded. `running`: it has " +
      "no check. `paused`: it stands still in the memory of its paused workspace. `exited`: it ended with status 0. `failed`: it ended otherwise, was not ready in time, or lost its " +
      "microVM. `stopped`: by `service stop` or `workspace stop`"
  })
)
export type ServiceState = ReturnType<typeof ServiceState>["Type"]

export const serviceDetail = () => optional(string("Reason for the state. Absent if the state needs none"))

export const serviceStatus = () =>
  optional(integer("Exit status of its last run, 128 + n after signal n. Absent while it runs"))

/** A service, as `status` and `list` show it. */
export const ServiceInfo = lazy(() =>
  snakeStruct({
    name: serviceName(),
    state: ServiceState(),
    detail: serviceDetail(),
    command: Schema.Array(Schema.String).annotate({ description: "Program and arguments" }),
    readyCheck: optional(string("Its check, such as `tcp 8080`. Absent without one")),
    startedAt: string("Start of its present or last run, ISO 8601"),
    ports: Schema.Array(snakeStruct({ guestPort: GuestPort(), hostPort: HostPort() })).annotate({
      description: "Its published ports"
    }),
    readyMs: optional(
      milliseconds("Time from this start until the check succeeded", "Absent before, and without a check")
    ),
    uptimeMs: milliseconds("How long its present run lasts, or its last run lasted"),
    restarts: integer("Number of restarts since `service start`"),
    restartInMs: optional(milliseconds("Time until the next restart", "Absent unless it waits for one")),
    status: serviceStatus(),
    outputBytes: integer("Cursor of the end of its log")
  })
)
export type ServiceInfo = ReturnType<typeof ServiceInfo>["Type"]
