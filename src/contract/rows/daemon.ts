import { Schema } from "effect"
import { between, boolean, defaulted, integer, number, optional, string } from "../text/fields.ts"
import { byName } from "../text/names.ts"
import { snakeStruct } from "../text/snake.ts"
import { DiskUsage } from "./disk-usage.ts"
import { lazy, unary } from "./operation.ts"

const HOST_ADMINISTRATION = { missing: "host administration" } as const
const none = lazy(() => Schema.Struct({}))

const byteCount = (description: string) => number(`${description}, in bytes`)

const Metrics = lazy(() =>
  snakeStruct({
    operations: Schema.Array(
      snakeStruct({
        operation: string("Name of the operation, such as `workspace.create`"),
        outcome: string("`ok`, the code of an error, `interrupted` or `defect` (an error without a code)"),
        count: integer("Number of operations with this outcome"),
        meanMs: number("Mean duration in ms, from the request to the last event"),
        p95Ms: number(
          "Upper limit in ms of the histogram bucket of the 95th percentile. Buckets double from 1 ms to 65536 ms"
        ),
        maxMs: number("Maximum duration in ms")
      })
    ).annotate({ description: "Operations by name and outcome" }),
    refusals: Schema.Array(
      snakeStruct({
        code: string("Code of the error"),
        count: integer("Number of operations that failed with this code")
      })
    ).annotate({ description: "Failed operations by the code of their error, most frequent first" }),
    pool: snakeStruct({
      hits: integer("Requests for a microVM that the pool served"),
      misses: integer("Requests for which pyro restored a microVM"),
      members: integer("Number of microVMs in the pool")
    }).annotate({ description: "The pool of waiting microVMs" }),
    liveVms: integer("Number of live microVMs of the daemon, with those of the pool"),
    bytes: snakeStruct({
      seed: byteCount("Content of seeds of workspaces and runs"),
      push: byteCount("Content of files of `sync push`"),
      export: byteCount("Content of exported files, archives and patches"),
      output: byteCount("Output of commands that clients received")
    }).annotate({ description: "Bytes that crossed between the host and workspaces" })
  })
)

export const DaemonStatus = lazy(() =>
  snakeStruct({
    running: boolean("Whether the daemon runs"),
    pid: optional(integer("Process id of the daemon. Absent if none runs")),
    version: optional(string("Version and build of the daemon. Absent if none runs")),
    startedAt: optional(string("Start of the daemon, ISO 8601. Absent if none runs")),
    logPath: string("Path of the daemon's log file"),
    vms: Schema.Array(
      snakeStruct({
        id: string("Id of the microVM"),
        purpose: string("Purpose of the microVM, such as `workspace`, `pool` or `run`"),
        workspace: optional(string("Id of its workspace. Absent for other purposes")),
        pid: optional(integer("Process id of QEMU")),
        memoryMib: integer("Guest memory in MiB")
      })
    ).annotate({ description: "MicroVMs of this installation" }),
    disk: DiskUsage().annotate({ description: "Use of the host's disk" }),
    metrics: optional(
      Metrics().annotate({
        description: "Metrics since the start of the daemon. Absent if no daemon of this version answers within 2 s"
      })
    )
  })
)
export type DaemonStatus = ReturnType<typeof DaemonStatus>["Type"]

export const daemonStatus = unary({
  name: "daemon.status",
  summary: "Show whether pyro's daemon runs, its microVMs, its metrics and what uses the disk",
  description:
    "The daemon owns the workspaces. The first command that needs the daemon starts it. The daemon exits ten minutes after the last workspace is deleted. This command neither starts the daemon nor delays its exit.",
  cli: { path: ["daemon", "status"], args: [], examples: ["pyro daemon status --json"] },
  mcp: HOST_ADMINISTRATION,
  home: "observer",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: none,
  result: DaemonStatus
})

export const daemonStop = unary({
  name: "daemon.stop",
  summary: "Stop pyro's daemon; workspaces and their commands go on",
  description:
    "The next command that needs the daemon starts a new one. The new daemon takes over the running workspaces.",
  cli: { path: ["daemon", "stop"], args: [], examples: ["pyro daemon stop"] },
  mcp: HOST_ADMINISTRATION,
  errors: [],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: none,
  result: lazy(() => Schema.Struct({ stopped: boolean("False if no daemon ran") }))
})

export const daemonLogs = unary({
  name: "daemon.logs",
  summary: "Show the end of the log of pyro's daemon",
  description: "Prints the last bytes of the daemon's log file.",
  cli: { path: ["daemon", "logs"], args: [], examples: ["pyro daemon logs"] },
  mcp: HOST_ADMINISTRATION,
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() =>
    snakeStruct({
      maxBytes: defaulted(
        between({ from: 1, to: 16_777_216, unit: "bytes", description: "Maximum bytes to show" }),
        () => 65_536
      )
    })
  ),
  result: lazy(() => Schema.Struct({ text: string("End of the log file") }))
})

const attributes = byName(Schema.Union([Schema.String, Schema.Number, Schema.Boolean]))

const DaemonTimings = lazy(() =>
  snakeStruct({
    slowMs: integer("Minimum duration in ms of an operation that the daemon keeps"),
    operations: Schema.Array(
      snakeStruct({
        operation: string("Name of the operation, such as `workspace.create`"),
        startedAt: string("Start of the operation (ISO 8601)"),
        durationMs: number("Time in ms from the request to the last event"),
        outcome: string("`ok`, the code of an error, `interrupted` or `defect`"),
        attributes: attributes.annotate({ description: "Facts about the operation, such as the id of its workspace" }),
        steps: Schema.Array(
          snakeStruct({
            name: string("Name of the step"),
            depth: integer("0 for a step of the operation, 1 for a step of such a step"),
            startMs: number("Time in ms from the operation's start to the step's start"),
            durationMs: number("Duration of the step in ms"),
            outcome: string(
              "Outcome of the step, as of an operation; `running` if the step goes on after the operation"
            ),
            attributes: attributes.annotate({ description: "Facts about the step: ids, sizes and names of variants" })
          })
        ).annotate({ description: "Steps in the order of their start, each before its own steps" }),
        omittedSteps: integer("Number of steps that were not kept: an operation has room for 512")
      })
    ).annotate({ description: "Slow operations, newest first. `workspace.exec` is never among them" })
  })
)

export const daemonTimings = unary({
  name: "daemon.timings",
  summary: "Show where the last slow operations spent their time",
  description:
    "The daemon keeps the last 50 operations that took 100 ms or more, with their steps. They are gone when the daemon ends. This command neither starts the daemon nor keeps it from leaving.",
  cli: {
    path: ["daemon", "timings"],
    args: [],
    examples: ["pyro daemon timings", "pyro daemon timings --limit 1 --json"]
  },
  mcp: HOST_ADMINISTRATION,
  home: "observer",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() =>
    snakeStruct({
      limit: defaulted(
        between({ from: 1, to: 50, unit: "operations", description: "Maximum number of operations to return" }),
        () => 5
      )
    })
  ),
  result: DaemonTimings
})
