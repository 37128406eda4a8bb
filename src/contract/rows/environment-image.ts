import { Schema } from "effect"
import { integer, milliseconds, optional, string } from "../text/fields.ts"
import { byName } from "../text/names.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy } from "./operation.ts"

const strings = (description: string) => Schema.Array(Schema.String).annotate({ description })

const HealthCheck = lazy(() =>
  snakeStruct({
    command: strings("Program and its arguments"),
    intervalMs: optional(milliseconds("Time between two tries", "Absent: the image does not say")),
    timeoutMs: optional(milliseconds("Maximum time of a try", "Absent: the image does not say")),
    startPeriodMs: optional(milliseconds("Time in which failures do not count", "Absent: the image does not say")),
    startIntervalMs: optional(milliseconds("Time between two tries in that period", "Absent: the image does not say")),
    retries: optional(integer("Number of failures that count. Absent: the image does not say"))
  })
)

/** Settings of an image for its programs, as the OCI image specification (config.md) and Docker have it. */
export const ImageSettings = lazy(() =>
  snakeStruct({
    env: strings("Variables of commands, as NAME=VALUE"),
    user: optional(string("User of commands, as UID:GID. Absent: root")),
    workingDirectory: optional(string("Directory of commands. Absent: /workspace")),
    entrypoint: strings("First words of the command of `run` and `service start` without one"),
    command: strings("Its further words"),
    exposedPorts: strings("Ports that its programs listen on, such as `8080/tcp`. pyro publishes none by itself"),
    stopSignal: optional(string("Signal that asks the image's command for its end. Absent: as for other commands")),
    healthCheck: optional(
      HealthCheck().annotate({
        description: "Readiness of a service that runs the image's command. Absent: the image has no check"
      })
    ),
    labels: byName(Schema.String).annotate({ description: "Its labels, without long ones" }),
    labelsLeftOut: optional(integer("Number of labels that are not shown. Absent if there are none")),
    volumes: optional(strings("Directories that a container engine would keep elsewhere. Absent if there are none"))
  })
)
