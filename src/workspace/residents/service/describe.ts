import type { ServiceInfo, ServiceState } from "../../../contract/rows/service-fields.ts"
import { recordedCommand } from "../command.ts"
import type { Commands } from "../exec/commands.ts"
import type { Ports } from "../port/ports.ts"
import { type Check, comesBack, type ServiceRecord } from "./state.ts"

/** A check in a few words. */
export const checkText = (check: Check): string => {
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

/** The state with its reason, and the exit status of a service that has ended. */
export const stateWithReason = (service: ServiceRecord, nowMs: number) => {
  const { dueBecause, end } = service
  const waitMs = restartInMs(service, nowMs)
  const detail = end?.detail ?? dueBecause
  return {
    state: stateOf(service),
    ...(detail === undefined ? {} : {
      detail: waitMs === undefined ? detail : `restarting in ${Math.ceil(waitMs / 1000)} s, because ${detail}`
    }),
    ...(waitMs === undefined ? {} : { restartInMs: waitMs }),
    ...(end?.status === undefined ? {} : { status: end.status })
  }
}

/** Bytes of output of each run, and where the first one begins. */
export const runsOf = ({ logs }: Pick<Commands, "logs">, { outputBefore, runs }: ServiceRecord) => {
  let begin = outputBefore
  return runs.map(({ execId, outputBytes }) => {
    const log = logs.get(execId)
    const run = { execId, log, begin, end: begin + (outputBytes ?? log?.position ?? 0) }
    begin = run.end
    return run
  })
}

/** Cursor behind the last byte of a service's log. */
export const logEnd = (commands: Pick<Commands, "logs">, service: ServiceRecord): number =>
  runsOf(commands, service).at(-1)?.end ?? service.outputBefore

/** A service for people and programs. */
export const serviceInfo = (
  { commands, ports: { list } }: { readonly commands: Pick<Commands, "logs">; readonly ports: Pick<Ports, "list"> },
  service: ServiceRecord,
  nowMs: number
): ServiceInfo => {
  const ports = list().filter((port) => port.service === service.name).map(({ service: _, ...port }) => port)
  const { end, endedAt = end?.at, name, options, readyMs, restarts, startedAt } = service
  return {
    name,
    ...stateWithReason(service, nowMs),
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
