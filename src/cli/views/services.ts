import { Effect } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { waitingText } from "../../contract/rows/resident-text.ts"
import type { ServiceInfo } from "../../contract/rows/service-fields.ts"
import type { ServiceStartPayload } from "../../contract/rows/workspace-service.ts"
import { typed } from "../../contract/text/printable.ts"
import { duration, note, noteOnNewLine, print, printContent, warnDropped } from "../output/print.ts"
import { makeProgress } from "../output/progress.ts"
import { type Colour, painted, printTable } from "../output/table.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { portsText } from "./network.ts"
import type { Views } from "./view.ts"

/** Seconds before the first line, and between lines: on a terminal each line replaces the one before. */
const FIRST_SECONDS = 1
const TERMINAL_SECONDS = 1
const FILE_SECONDS = 10

/** Time for an interrupted service to end, in seconds: more than `service stop` takes for a program that ignores SIGTERM. */
const STOP_SECONDS = 15

/** Shows the reason and the duration of a wait, until the work is done. */
const withWaiting = <A, E>(text: string | undefined, work: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    if (text === undefined) return yield* work
    const progress = yield* makeProgress()
    const everySeconds = (yield* Terminal).stderrIsTerminal ? TERMINAL_SECONDS : FILE_SECONDS
    const tick = (waitSeconds: number, seconds: number): Effect.Effect<never> =>
      Effect.sleep(waitSeconds * 1_000).pipe(
        Effect.andThen(
          progress.show({ _tag: "Notice", level: "progress", message: `${text}, ${seconds + waitSeconds} s` })
        ),
        Effect.andThen(Effect.suspend(() => tick(everySeconds, seconds + waitSeconds)))
      )
    return yield* Effect.raceFirst(work, tick(FIRST_SECONDS, 0)).pipe(Effect.ensuring(progress.clear))
  })

/** Reports the end of a service whose start was interrupted. The daemon stops the service. */
const tellStop = (pyro: PyroService, { name, workspace }: ServiceStartPayload) =>
  Effect.gen(function*() {
    yield* note(`\npyro: stopping ${name}, because its start was interrupted\n`)
    const live = pyro.workspace.service.status({ workspace, name }).pipe(
      Effect.map(({ state }) => state === "starting" || state === "ready" || state === "running")
    )
    const ended = Effect.repeat(Effect.tap(live, () => Effect.sleep("50 millis")), { while: (isLive) => isLive })
    yield* Effect.timeout(Effect.interruptible(ended), `${STOP_SECONDS} seconds`)
    yield* note(`pyro: ${name} is stopped. Its log: pyro service logs ${workspace} ${name}\n`)
  }).pipe(
    Effect.catch(() => note(`pyro: see what became of ${name}: pyro service status ${workspace} ${name}\n`))
  )

/** Starts a service. Shows the wait, and reports the stop after an interruption. */
const performServiceStart = (pyro: PyroService, payload: ServiceStartPayload): Effect.Effect<
  ServiceInfo,
  PyroError,
  Terminal
> =>
  withWaiting(waitingText(payload), pyro.workspace.service.start(payload)).pipe(
    Effect.onInterrupt(() => tellStop(pyro, payload))
  )

const COLOURS: Partial<Record<ServiceInfo["state"], Colour>> = {
  ready: "green",
  running: "green",
  failed: "red",
  starting: "yellow",
  paused: "yellow",
  stopped: "dim"
}

const stateText = ({ restartInMs, state }: ServiceInfo) =>
  restartInMs === undefined ? state : `restarting in ${Math.ceil(restartInMs / 1000)} s`

const stateOf = (one: ServiceInfo) => painted(COLOURS[one.state] ?? "dim", stateText(one))

/** Whether the program of a service is running. */
const runs = ({ restartInMs, state }: ServiceInfo) => isLive(state) && restartInMs === undefined

/** States of a service that may print more. */
const isLive = (state: ServiceInfo["state"]) => ["starting", "ready", "running", "paused"].includes(state)

/** The end of a service in one line: the reason may have further lines of a console. */
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
  },
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
  },
  "workspace.service.status": { result: detail },
  "workspace.service.logs": {
    next: ({ tailLines: _, ...payload }, { hasMore, nextCursor, state }) =>
      hasMore || (payload.follow && isLive(state)) ? { ...payload, cursor: nextCursor } : undefined,
    result: (page, { follow, name }) =>
      Effect.gen(function*() {
        const { hasMore, output, skippedBytes, state } = page
        yield* warnDropped(skippedBytes)
        yield* output === "" ? print("") : printContent(output)
        if (follow && !hasMore && !isLive(state)) yield* noteOnNewLine(endOf(name, page))
      })
  },
  "workspace.service.stop": {
    result: ({ name, state, status }) =>
      note(`${name} is ${state}${status === undefined ? "" : `, with status ${status}`}\n`)
  }
} satisfies Views
