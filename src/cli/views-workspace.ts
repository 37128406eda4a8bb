import { Effect } from "effect"
import type { LogEntry } from "../contract/operations/workspace-exec.ts"
import type { WorkspaceInfo } from "../contract/operations/workspace-info.ts"
import { Manner } from "./manner.ts"
import { print, printContent, say, showOutput, size } from "./print.ts"
import { type Cell, type Colour, painted, printTable } from "./table.ts"
import type { View } from "./view.ts"

const UNITS = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"]] as const

/** `3 min ago`, as people say it. */
const ago = (iso: string, nowMs: number): string => {
  const ms = Math.max(0, nowMs - Date.parse(iso))
  const [unit, letter] = UNITS.find(([unit]) => ms >= unit) ?? [1000, "s"]
  return `${Math.floor(ms / unit)} ${letter} ago`
}

const labels = (one: WorkspaceInfo) => Object.entries(one.labels).map(([key, value]) => `${key}=${value}`).join(" ")

const called = (one: WorkspaceInfo) => one.name ?? one.id

const STATE_COLOURS: Partial<Record<WorkspaceInfo["state"], Colour>> = {
  running: "green",
  stopped: "dim",
  failed: "red"
}

const stateOf = ({ state }: WorkspaceInfo) => painted(STATE_COLOURS[state] ?? "yellow", state)

const list = (all: ReadonlyArray<WorkspaceInfo>) =>
  all.length === 0
    ? say("no workspaces; make one with: pyro workspace create\n")
    : printTable([
      ["ID", "NAME", "STATE", "ENVIRONMENT", "LAST USED", "LABELS"],
      ...all.map((one) => [
        one.id,
        one.name ?? "-",
        stateOf(one),
        one.environment,
        ago(one.lastActivityAt, Date.now()),
        labels(one)
      ])
    ], { head: true, flexible: [1, 3, 5] })

const detail = (one: WorkspaceInfo) =>
  printTable([
    ["id", one.id],
    ["name", one.name ?? "-"],
    ["state", { ...stateOf(one), text: one.detail === undefined ? one.state : `${one.state}: ${one.detail}` }],
    ["environment", one.environment],
    ["size", `${one.vcpuCount} vCPU, ${one.memoryMib} MiB memory, ${one.diskMib} MiB disk`],
    ["commands", `${one.runningCommands} running`],
    ["created", one.createdAt],
    ["last used", one.lastActivityAt],
    ["expires", one.expiresAt ?? "never"],
    ["seeded from", one.repoUrl ?? one.seedPath ?? "nothing"],
    ["labels", labels(one) || "-"]
  ])

/** Said unless a switch of the command is on. */
const unless = (name: string, text: string) =>
  Effect.flatMap(Manner, ({ switches }) => switches.has(name) ? Effect.void : say(text))

const outcomeOf = ({ outcome, status }: LogEntry): Cell => {
  switch (outcome) {
    case "exited":
      return painted(status === 0 ? "green" : "red", `exit ${status ?? "?"}`)
    case "signaled":
      return painted("red", status === undefined ? "signal" : `signal ${status - 128}`)
    case "running":
      return painted("yellow", outcome)
    default:
      return painted("red", outcome.replaceAll("_", " "))
  }
}

const duration = (ms: number) =>
  ms < 1000 ? `${Math.round(ms)} ms` : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`

/** As it could be typed, its beginning. */
const commandLine = (words: ReadonlyArray<string>) =>
  words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ")
    .slice(0, 300)

type WithWorkspace = { readonly workspace: WorkspaceInfo }

const now = (words: (name: string) => string) => ({
  result: ({ workspace }: WithWorkspace) => say(words(called(workspace)))
})

export const workspaceViews = {
  "workspace.create": {
    result: ({ workspace }) =>
      Effect.zipRight(
        print(`${workspace.id}\n`),
        unless(
          "id-only",
          `${called(workspace)} is ready; use it with: pyro workspace exec ${called(workspace)} -- ls\n`
        )
      )
  } satisfies View<"workspace.create">,
  "workspace.list": { result: ({ workspaces }) => list(workspaces) } satisfies View<"workspace.list">,
  "workspace.status": { result: detail } satisfies View<"workspace.status">,
  "workspace.update": { result: detail } satisfies View<"workspace.update">,
  "workspace.stop": now((name) => `${name} is stopped; its disk is kept\n`) satisfies View<"workspace.stop">,
  "workspace.start": now((name) => `${name} is running\n`) satisfies View<"workspace.start">,
  "workspace.reset": now((name) => `${name} is as it was after its creation\n`) satisfies View<"workspace.reset">,
  "workspace.delete": {
    result: ({ deleted }) => print(deleted.map((id) => `deleted ${id}\n`).join(""))
  } satisfies View<"workspace.delete">,
  "workspace.exec": {
    event: showOutput,
    result: (result) => {
      switch (result.outcome) {
        case "exited":
          return Effect.void
        case "running":
          return print(`${result.execId}\n`)
        case "signaled":
          return say(`pyro: signal ${result.signal ?? result.status - 128} ended the command\n`)
        case "timed_out":
          return say(`pyro: the command ran past its timeout and was killed (--timeout-seconds)\n`)
        case "out_of_memory":
          return say(`pyro: the guest ran out of memory and killed the command\n`)
      }
    }
  } satisfies View<"workspace.exec">,
  "workspace.logs": {
    result: ({ commands, output }) =>
      output !== undefined
        ? printContent(output)
        : commands.length === 0
        ? say("nothing ran here yet\n")
        : printTable([
          ["ID", "STARTED", "OUTCOME", "TIME", "OUTPUT", "COMMAND"],
          ...commands.map((one) => [
            one.execId,
            ago(one.startedAt, Date.now()),
            outcomeOf(one),
            one.durationMs === undefined ? "-" : duration(one.durationMs),
            size(one.outputBytes),
            commandLine(one.command)
          ])
        ], { head: true, flexible: [5] })
  } satisfies View<"workspace.logs">
}
