import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import type { ServiceInfo, ServiceState } from "../../../contract/rows/service-fields.ts"
import { optional } from "../../../contract/text/fields.ts"
import { byName } from "../../../contract/text/names.ts"
import { readVersioned, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { removeFile } from "../../../system/files/entries.ts"
import { FileFailed, toHostErrorOf } from "../../../system/files/failure.ts"
import type { ResidentKind } from "../../entry/resident.ts"
import type { Commands } from "../exec/command-registry.ts"
import type { Ports } from "../port/ports.ts"
import { recordedCommand } from "../program/command.ts"

/** The check whether a service is ready. */
export const Check = Schema.Union([
  Schema.TaggedStruct("tcp", { port: Schema.Int }),
  Schema.TaggedStruct("http", { url: Schema.String }),
  Schema.TaggedStruct("file", { path: Schema.String }),
  Schema.TaggedStruct("command", {
    script: Schema.String,
    /** The program that runs in place of the script, which a person reads. */
    argv: optional(Schema.Array(Schema.String)),
    /** Maximum time of a try, in ms. Absent: that of all tries. */
    timeoutMs: optional(Schema.Int)
  })
])
export type Check = typeof Check.Type

/** Options of each start of a service. */
const Options = Schema.Struct({
  command: Schema.Array(Schema.String),
  script: optional(Schema.String),
  env: byName(Schema.String),
  /** Absent: the directory of the workspace. */
  cwd: optional(Schema.String),
  user: Schema.String,
  secretEnv: optional(Schema.Array(Schema.String)),
  secretMount: optional(Schema.Array(Schema.String)),
  check: optional(Check),
  /** Ports of the guest to publish. */
  publish: optional(Schema.Array(Schema.Struct({ guestPort: Schema.Int, hostPort: optional(Schema.Int) }))),
  readyTimeoutSeconds: Schema.Number,
  restart: Schema.Literals(["never", "on-failure", "always"]),
  /** Signal that asks the command for its end. Absent: SIGTERM, to its process group. */
  stopSignal: optional(Schema.Int),
  /** Time between two tries of the check, in ms. Absent: pyro chooses the time. */
  readyIntervalMs: optional(Schema.Int),
  /** A model started the service: its ports need the permission of the workspace's policy. */
  byModel: optional(Schema.Literal(true))
})
export type ServiceOptions = typeof Options.Type

/** One run of a service: a command of the workspace. */
const Run = Schema.Struct({
  execId: Schema.String,
  /** Bytes of its output. Absent while it runs. */
  outputBytes: Schema.optional(Schema.Int)
})

/** How a service ended for good. */
const End = Schema.Struct({
  outcome: Schema.Literals(["exited", "signaled", "timed_out", "out_of_memory", "lost", "not_ready", "not_started"]),
  status: Schema.optional(Schema.Int),
  /** Reason of a failure. */
  detail: Schema.optional(Schema.String),
  at: Schema.String
})
export type ServiceEnd = typeof End.Type

export const ServiceRecord = Schema.Struct({
  name: Schema.String,
  options: Options,
  /** The state that the last request asked for. */
  wanted: Schema.Literals(["running", "stopped"]),
  /** Its newest runs since its start, oldest first. */
  runs: Schema.Array(Run),
  /** Bytes of the output of earlier runs, which cursors count. */
  outputBefore: Schema.Int,
  /** The guest does not have the present run yet, or the next run is due. A new daemon starts it. */
  due: Schema.optional(Schema.Literal(true)),
  /** Why the next run is due. Absent for the first run. */
  dueBecause: Schema.optional(Schema.String),
  /** Time of the next run, and end of the run before it, ISO 8601. Only with `dueBecause`. */
  dueAt: Schema.optional(Schema.String),
  endedAt: Schema.optional(Schema.String),
  /** Start of the present run, ISO 8601. */
  startedAt: Schema.String,
  /** Time from the start of the present run until its check succeeded, in ms. */
  readyMs: Schema.optional(Schema.Number),
  /** A run of this start was ready, or has no check. */
  wasReady: Schema.optional(Schema.Literal(true)),
  /** Number of begun runs after the first one. */
  restarts: Schema.Int,
  /** Absent while it runs, or while it is to run again. */
  end: Schema.optional(End)
})
export type ServiceRecord = typeof ServiceRecord.Type

/** Whether a service ended with its VM, and the next start of the workspace restarts it. */
export const comesBack = ({ end, options, wanted }: ServiceRecord): boolean =>
  wanted === "running" && options.restart === "always" && end?.outcome === "lost"

/** The record without the wait for a next run. */
export const withoutWait = (
  { dueAt: _, dueBecause: _because, endedAt: _ended, ...rest }: ServiceRecord
): ServiceRecord => rest

const Services = Schema.Array(ServiceRecord)

/** How a snapshot stores the services. A workspace stores them in a file of its own. */
export const serviceKind: ResidentKind<typeof Services.Type, typeof Services.Encoded> = {
  key: "services",
  state: Services,
  upgrades: []
}

const StoredServices = Schema.Struct({ format: Schema.Literal(1), services: Services })

const fileOf = (folder: string) => path.join(folder, "services.json")

/** The services of the workspace in `folder`. */
export const readServices = (
  folder: string
): Effect.Effect<ReadonlyArray<ServiceRecord>, NoSpace | StateDirectoryUnusable> =>
  readVersioned(fileOf(folder), { schema: StoredServices, upgrades: [] }).pipe(
    Effect.map(Option.match({ onNone: () => [], onSome: ({ services }) => services })),
    Effect.mapError((failure) =>
      toHostErrorOf(folder)(
        failure._tag === "FileFailed" ? failure : new FileFailed({
          operation: "decode",
          path: fileOf(folder),
          detail: `a newer pyro wrote it, in format ${failure.format}`
        })
      )
    )
  )

/** Writes the services, so that they survive this process: if it ends meanwhile, the file is the old one or the new one. */
export const writeServices = (
  folder: string,
  services: ReadonlyArray<ServiceRecord>
): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  Effect.mapError(
    services.length === 0
      ? removeFile(fileOf(folder))
      : writeJsonAtomic(fileOf(folder), StoredServices, { format: 1 as const, services }),
    toHostErrorOf(folder)
  )

/** A check as a short text. */
const checkText = (check: Check): string => {
  switch (check._tag) {
    case "tcp":
      return `tcp ${check.port}`
    case "http":
      return check.url
    case "file":
      return `file ${check.path}`
    case "command":
      return `command ${check.script}`
  }
}

export const stateOf = (service: ServiceRecord): ServiceState => {
  const { due, end, options, readyMs, wanted } = service
  if (end !== undefined) {
    return wanted === "stopped" || comesBack(service)
      ? "stopped"
      : end.outcome === "exited" && end.status === 0
      ? "exited"
      : "failed"
  }
  if (due === true) return "starting"
  return options.check === undefined ? "running" : readyMs === undefined ? "starting" : "ready"
}

/** Time until the next run, in ms; undefined if the service does not wait for one. */
const restartInMs = ({ dueAt }: ServiceRecord, nowMs: number) =>
  dueAt === undefined ? undefined : Math.max(0, Date.parse(dueAt) - nowMs)

/** The state for people and programs. Programs in a paused workspace do not run. */
export const shownState = (service: ServiceRecord, isPaused: boolean): ServiceState =>
  isPaused && service.end === undefined ? "paused" : stateOf(service)

/** The state with its reason, and the exit status of a service that has ended. */
export const stateWithReason = (service: ServiceRecord, nowMs: number, isPaused: boolean) => {
  const { dueBecause, end } = service
  const waitMs = restartInMs(service, nowMs)
  const detail = end?.detail ?? dueBecause
  return {
    state: shownState(service, isPaused),
    ...(detail === undefined ? {} : {
      detail: waitMs === undefined ? detail : `restarting in ${Math.ceil(waitMs / 1000)} s, because ${detail}`
    }),
    ...(waitMs === undefined ? {} : { restartInMs: waitMs }),
    ...(end?.status === undefined ? {} : { status: end.status })
  }
}

/** The runs of a service, with the positions of their output in the service's log. */
export const runsOf = ({ logs }: Pick<Commands, "logs">, { outputBefore, runs }: ServiceRecord) => {
  let begin = outputBefore
  return runs.map(({ execId, outputBytes }) => {
    const log = logs.get(execId)
    const run = { execId, log, begin, end: begin + (outputBytes ?? log?.position ?? 0) }
    begin = run.end
    return run
  })
}

/** The record, with the length of the last run's output. */
export const closedRun = (
  { commands }: { readonly commands: Pick<Commands, "logs"> },
  one: ServiceRecord
): ServiceRecord => {
  const last = runsOf(commands, one).at(-1)
  return last === undefined ? one : {
    ...one,
    runs: [...one.runs.slice(0, -1), { execId: last.execId, outputBytes: last.end - last.begin }]
  }
}

/** Position after the last byte of a service's log. */
export const logEnd = (commands: Pick<Commands, "logs">, service: ServiceRecord): number =>
  runsOf(commands, service).at(-1)?.end ?? service.outputBefore

/** A service for people and programs. */
export const serviceInfo = (
  { commands, isPaused, ports: { list } }: {
    readonly commands: Pick<Commands, "logs">
    readonly isPaused: boolean
    readonly ports: Pick<Ports, "list">
  },
  service: ServiceRecord,
  nowMs: number
): ServiceInfo => {
  const ports = list().filter((port) => port.service === service.name).map(({ service: _, ...port }) => port)
  const { end, endedAt = end?.at, name, options, readyMs, restarts, startedAt } = service
  return {
    name,
    ...stateWithReason(service, nowMs, isPaused),
    command: recordedCommand(options),
    ...(options.check === undefined ? {} : { readyCheck: checkText(options.check) }),
    startedAt,
    ports,
    ...(readyMs === undefined ? {} : { readyMs }),
    uptimeMs: Math.max(0, (endedAt === undefined ? nowMs : Date.parse(endedAt)) - Date.parse(startedAt)),
    restarts,
    outputBytes: logEnd(commands, service)
  }
}
