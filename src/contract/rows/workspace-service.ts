import { Schema } from "effect"
import { between, boolean, defaulted, described, flag, integer, list, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofCommands } from "./call-errors.ts"
import { command, fieldsOfCommand, script } from "./command.ts"
import { always, lazy, unary } from "./operation.ts"
import { serviceGroups } from "./option-groups.ts"
import { secretMappings } from "./secret-fields.ts"
import {
  DEFAULT_STOP_SECONDS,
  readinessFields,
  serviceDetail,
  ServiceInfo,
  serviceName,
  ServiceState,
  serviceStatus,
  stopSeconds
} from "./service-fields.ts"
import { at, withCommands, withProcesses, withVm } from "./states.ts"
import { workspaceField, WorkspaceRef } from "./workspace-field.ts"
import { portText } from "./workspace-port.ts"

const full = { profiles: ["full"] } as const

/** Fields of results that a model does not need. */
const omits = ["command", "started_at", "output_bytes", "ready_check", "ready_ms", "restart_in_ms"] as const

export const ServiceStartPayload = lazy(() => {
  const { cwd, env, user } = fieldsOfCommand()
  return snakeStruct({
    workspace: workspaceField(),
    name: serviceName(),
    command: command(
      "Program and its arguments, unless a script is given. Default: the command of the environment's image, with its health check and stop signal"
    ),
    script: script(),
    ...readinessFields(),
    restart: defaulted(
      Schema.Literals(["never", "on-failure", "always"]).annotate({
        description:
          "`never`: an ended service stays ended. `on-failure`: start the service again, with a growing delay, when it fails after it was ready. " +
          "pyro gives up after 10 failures in a row. `always`: also when it ends with status 0, and when the workspace is started again"
      }),
      () => "never" as const
    ),
    publish: optional(
      list(portText("")).pipe(
        Schema.check(Schema.isMaxLength(16, { message: "must be at most 16 ports" })),
        described(
          "Ports of the guest to publish on 127.0.0.1 of the host while the service lives: [HOST_PORT:]GUEST_PORT. " +
            "Without HOST_PORT, or with 0, the host chooses a free one. Default: none"
        )
      )
    ),
    env,
    cwd,
    user,
    ...secretMappings()
  })
})
export type ServiceStartPayload = ReturnType<typeof ServiceStartPayload>["Type"]

export const workspaceServiceStart = unary({
  name: "workspace.service.start",
  summary: "Start a service in a workspace, and wait until it is ready",
  description:
    "Starts a program that stays, such as a server, and returns when it is ready, or without a check as soon as it runs. If the service ends first, or is not ready in " +
    "time, the command fails with the end of its log, and nothing of the service stays. The program must stay in the foreground: " +
    "when it ends, pyro kills all processes that it has left. A service goes on through snapshots, forks and the end of the " +
    "daemon; stop and reset of the workspace end it, and a start brings back one with --restart always. The name of an ended service can be started again. Ctrl-C stops the service.",
  cli: {
    path: ["workspace", "service", "start"],
    args: ["workspace", "name"],
    rest: "command",
    groups: serviceGroups,
    examples: [
      "pyro service start fix web --ready-tcp 8000 -- python3 -m http.server 8000",
      "pyro service start fix site --ready-tcp 8090 --publish 8090 -- python3 -m http.server 8090",
      "pyro service start fix web --publish 8080",
      "pyro service start fix api --ready-http http://localhost:8080/ --restart on-failure -- python3 -m http.server 8080"
    ]
  },
  mcp: {
    tool: "service_start",
    ...full,
    title: "Start a service",
    description:
      "Start a program that stays, such as a dev server, and return when it is ready. It must stay in the foreground",
    arguments: {
      workspace: {},
      name: { description: "Its name" },
      script: { name: "command", needed: true, description: "Shell command" },
      ready_tcp: { description: "Ready when this port accepts" },
      ready_http: { description: "Ready when this URL answers 200 to 399: http://localhost:PORT/PATH" },
      ready_file: { description: "Ready when this file exists" },
      ready_command: { description: "Ready when this shell command ends with 0" },
      ready_timeout_seconds: { description: "[60]" },
      restart: { description: "[never]" },
      publish: { network: true, description: "Ports for the user's host: [HOST_PORT:]PORT" },
      cwd: { description: "In /workspace [.]" },
      env: { description: "Variables" },
      secret_env: { description: "Secrets: NAME or NAME=VAR" }
    },
    omits
  },
  states: at(withVm),
  on: "running",
  writes: always,
  errors: [
    ...ofCommands,
    "PortAlreadyPublished",
    "PortInUse",
    "PortUnavailable",
    "PublishingNotAllowed",
    "ServiceFailed",
    "ServiceNotFound",
    "ServiceRunning"
  ],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: ServiceStartPayload,
  result: ServiceInfo
})

const ServiceList = lazy(() =>
  snakeStruct({
    services: Schema.Array(ServiceInfo()).annotate({ description: "Services since create or the last reset, by name" })
  })
)

export const workspaceServiceList = unary({
  name: "workspace.service.list",
  summary: "List the services of a workspace",
  description: "Lists the services that were started since create or the last reset, with their states.",
  cli: { path: ["workspace", "service", "list"], args: ["workspace"], examples: ["pyro service list fix"] },
  mcp: {
    tool: "service_list",
    ...full,
    title: "List services",
    arguments: { workspace: {} },
    omits
  },
  states: at(withCommands),
  on: "residents",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: WorkspaceRef,
  result: ServiceList
})

export const ServicePayload = lazy(() => snakeStruct({ workspace: workspaceField(), name: serviceName() }))
export type ServicePayload = ReturnType<typeof ServicePayload>["Type"]

export const workspaceServiceStatus = unary({
  name: "workspace.service.status",
  summary: "Show one service of a workspace",
  description: "Shows state, exit status, uptime and restarts of a service.",
  cli: {
    path: ["workspace", "service", "status"],
    args: ["workspace", "name"],
    completes: { name: "services" },
    examples: ["pyro service status fix web"]
  },
  mcp: {
    tool: "service_status",
    ...full,
    title: "Show a service",
    arguments: { workspace: {}, name: { description: "Its name" } },
    omits
  },
  states: at(withCommands),
  on: "residents",
  errors: ["ServiceNotFound"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: ServicePayload,
  result: ServiceInfo
})

export const ServiceLogsPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    name: serviceName(),
    cursor: optional(
      Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))).annotate({
        description: "Position to start from: a `next_cursor`. Default: the beginning of the log since `service start`"
      })
    ),
    tailLines: optional(
      between({
        from: 1,
        to: 10_000,
        unit: "lines",
        description: "Show only this many of the newest lines, as far as they fit into max_bytes"
      })
    ),
    maxBytes: defaulted(
      between({ from: 1, to: 4_194_304, unit: "bytes", description: "Maximum bytes of output of one answer" }),
      () => 1_048_576
    ),
    follow: flag(
      "Wait for output if there is none, at most 20 seconds. The command line goes on until the service has ended, and says how on stderr"
    )
  })
)
export type ServiceLogsPayload = ReturnType<typeof ServiceLogsPayload>["Type"]

export const ServiceLogsResult = lazy(() =>
  snakeStruct({
    state: ServiceState(),
    detail: serviceDetail(),
    status: serviceStatus(),
    output: string("stdout and stderr in the order of arrival"),
    nextCursor: integer("Cursor of the next call"),
    hasMore: boolean("Whether there is more output now"),
    skippedBytes: optional(
      integer("Bytes between the cursor and this output that were dropped. Absent if there are none")
    ),
    lossy: boolean("Whether bytes that are not UTF-8 were replaced by U+FFFD")
  })
)
export type ServiceLogsResult = ReturnType<typeof ServiceLogsResult>["Type"]

export const workspaceServiceLogs = unary({
  name: "workspace.service.logs",
  summary: "Show the log of a service",
  description:
    "Shows the output of a service since its start, over all restarts. pyro keeps the first 256 MiB and the newest 1 GiB of each run. " +
    "A cursor stays valid when the service is started again.",
  cli: {
    path: ["workspace", "service", "logs"],
    args: ["workspace", "name"],
    completes: { name: "services" },
    extras: { all: { _tag: "switch", description: "Show the whole log, as without --tail-lines" } },
    examples: [
      "pyro service logs fix web --tail-lines 20",
      "pyro service logs fix web --cursor 1200"
    ]
  },
  mcp: {
    tool: "service_logs",
    ...full,
    title: "Show a service's log",
    arguments: {
      workspace: {},
      name: { description: "Its name" },
      cursor: { description: "next_cursor" },
      tail_lines: { description: "Newest lines only" },
      max_bytes: { default: 6500, description: "[6500]" }
    },
    omits: ["lossy", "detail", "status"]
  },
  states: at(withCommands),
  on: "residents",
  errors: ["ServiceNotFound"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: ServiceLogsPayload,
  result: ServiceLogsResult
})

export const ServiceStopPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    name: serviceName(),
    graceSeconds: stopSeconds(
      `Seconds between SIGTERM to the process group, or the image's stop signal, and SIGKILL to all its processes. 0 to 3600; 0 kills at once. Default: ${DEFAULT_STOP_SECONDS}`
    )
  })
)
export type ServiceStopPayload = ReturnType<typeof ServiceStopPayload>["Type"]

export const workspaceServiceStop = unary({
  name: "workspace.service.stop",
  summary: "Stop a service of a workspace",
  description:
    "Sends SIGTERM to the process group of the service, or its stop signal to the command of an image, and SIGKILL to all its processes after --grace-seconds. Waits for the end. " +
    "The log stays. A service that has ended stays as it is.",
  cli: {
    path: ["workspace", "service", "stop"],
    args: ["workspace", "name"],
    completes: { name: "services" },
    examples: ["pyro service stop fix web"]
  },
  mcp: {
    tool: "service_stop",
    ...full,
    title: "Stop a service",
    arguments: { workspace: {}, name: { description: "Its name" } },
    omits: [...omits, "ports", "uptime_ms", "restarts"]
  },
  states: at(withProcesses),
  on: "residents",
  errors: ["ServiceNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: ServiceStopPayload,
  result: ServiceInfo
})
