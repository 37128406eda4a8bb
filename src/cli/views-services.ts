import { Effect } from "effect"
import type { ServiceInfo } from "../contract/rows/service-fields.ts"
import { typed } from "../contract/text/printable.ts"
import { note, noteOnNewLine, print, printContent, warn } from "./print.ts"
import { performServiceStart } from "./service-start.ts"
import { type Colour, painted, printTable } from "./table.ts"
import { duration } from "./time-text.ts"
import type { View } from "./view.ts"
import { portsText } from "./views-port.ts"

const COLOURS: Partial<Record<ServiceInfo["state"], Colour>> = {
  ready: "green",
  running: "green",
  failed: "red",
  starting: "yellow",
  stopped: "dim"
}

const stateText = ({ restartInMs, state }: ServiceInfo) =>
  restartInMs === undefined ? state : `restarting in ${Math.ceil(restartInMs / 1000)} s`

const stateOf = (one: ServiceInfo) => painted(COLOURS[one.state] ?? "dim", stateText(one))

/** Whether the program of a service runs now. */
const runs = ({ restartInMs, state }: ServiceInfo) => isLive(state) && restartInMs === undefined

/** States of a service that may print more. */
const isLive = (state: ServiceInfo["state"]) => state === "starting" || state === "ready" || state === "running"

/** How a service ended, in one line: the reason may have the end of a console. */
const endOf = (name: string, { detail, state, status }: Pick<ServiceInfo, "detail" | "state" | "status">) => {
  const reason = detail?.split("\n", 1)[0]
  const how = reason !== undefined ? `: ${reason}` : status === undefined ? "" : `, with status ${status}`
  return `pyro: ${name} is ${state}${how}\n`
}

const detail = (one: ServiceInfo) =>
  printTable([
    ["name", one.name],
    ["state", { ...stateOf(one), text: one.detail === undefined ? one.state : `${one.state}: ${one.detail}` }],
    ["command", typed(one.command)],
    ["ready check", one.readyCheck ?? "none"],
    ...(one.readyMs === undefined ? [] : [["ready after", duration(one.readyMs)]]),
    ...(one.ports.length === 0 ? [] : [["ports", portsText(one.ports)]]),
    ["started", one.startedAt],
    [runs(one) ? "runs for" : "ran for", duration(one.uptimeMs)],
    ["restarts", String(one.restarts)],
    ...(one.status === undefined ? [] : [["exit status", String(one.status)]])
  ])

export const serviceViews = {
  "workspace.service.start": {
    result: ({ name, ports, readyMs, state }) =>
      note(
        `${name} is ${state}${readyMs === undefined ? "" : ` after ${duration(readyMs)}`}${
          ports.length === 0 ? "" : `; ${portsText(ports)}`
        }\n`
      ),
    perform: (pyro, payload, json) =>
      json
        ? undefined
        : Effect.map(performServiceStart(pyro, payload), (result) => ({ _tag: "Result", result }))
  } satisfies View<"workspace.service.start">,
  "workspace.service.list": {
    result: ({ services }, { workspace }) =>
      services.length === 0
        ? note(
          `no services. Start one: pyro service start ${workspace} web --ready-tcp 8000 -- python3 -m http.server 8000\n`
        )
        : printTable([
          ["NAME", "STATE", "UPTIME", "RESTARTS", "CHECK", "COMMAND"],
          ...services.map((one) => [
            one.name,
            stateOf(one),
            runs(one) ? duration(one.uptimeMs) : "-",
            String(one.restarts),
            one.readyCheck ?? "-",
            typed(one.command).slice(0, 300)
          ])
        ], { head: true, flexible: [4, 5] })
  } satisfies View<"workspace.service.list">,
  "workspace.service.status": { result: detail } satisfies View<"workspace.service.status">,
  "workspace.service.logs": {
    next: ({ tailLines: _, ...payload }, { hasMore, nextCursor, state }) =>
      hasMore || (payload.follow && isLive(state)) ? { ...payload, cursor: nextCursor } : undefined,
    result: (page, { follow, name }) =>
      Effect.gen(function*() {
        const { hasMore, output, skippedBytes = 0, state } = page
        if (skippedBytes > 0) yield* warn(`pyro: ${skippedBytes} bytes of the output were dropped here\n`)
        yield* output === "" ? print("") : printContent(output)
        if (follow && !hasMore && !isLive(state)) yield* noteOnNewLine(endOf(name, page))
      })
  } satisfies View<"workspace.service.logs">,
  "workspace.service.stop": {
    result: ({ name, state, status }) =>
      note(`${name} is ${state}${status === undefined ? "" : `, with status ${status}`}\n`)
  } satisfies View<"workspace.service.stop">
}
