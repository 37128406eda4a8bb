import { Effect } from "effect"
import type { Outcome, Shown } from "../agent-host/administer.ts"
import type { Diagnosis } from "../agent-host/doctor.ts"
import { type HostEntryDiffers, type HostFileUnusable, InvalidRequest } from "../contract/errors/errors.ts"
import { hostNameOf } from "../contract/rows/agent-host.ts"
import { named } from "../contract/text/names.ts"
import { decode, parse, type Typed } from "./arguments/parser.ts"
import { print, printJson, warn } from "./output/print.ts"
import { painted, printTable } from "./output/table.ts"
import {
  ConnectPayload,
  DisconnectPayload,
  DoctorPayload,
  type HostCommand,
  hostConnect,
  hostDisconnect,
  hostDoctor,
  hostPrintConfig,
  hostRepair,
  PrintConfigPayload
} from "./rows/host.ts"
import { checkServe, oneSelection } from "./serve-options.ts"
import { type OutputClosed, Terminal } from "./terminal/Terminal.ts"
import { colouredPatch } from "./views/diff.ts"

type Failure = InvalidRequest | HostFileUnusable | HostEntryDiffers | OutputClosed

/** Performs a command of `pyro host` and returns the exit status. */
export const performHost = (
  command: HostCommand,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): Effect.Effect<number, Failure, Terminal> =>
  Effect.gen(function*() {
    const typed = withHostName(yield* parse(command, words, rest))
    const show = { json: typed.json, quiet: typed.quiet }
    const { connect, disconnect, printConfig, repair } = yield* Effect.promise(() =>
      import("../agent-host/administer.ts")
    )
    switch (command.name) {
      case "host.connect": {
        yield* oneSelection(typed.raw)
        const payload = yield* decode(hostConnect.cli, ConnectPayload(), typed.raw)
        const outcome = yield* connect({ ...payload, place: yield* placeOf(payload), server: yield* serverOf(payload) })
        const status = yield* showOutcome(
          outcome,
          show,
          payload.dryRun,
          `${payload.host} has this entry already: nothing to change\n`
        )
        const isWritten = outcome.files.length > 0 && !payload.dryRun
        if (isWritten && !show.json && !show.quiet) yield* warn(afterConnect(payload.host))
        return status
      }
      case "host.disconnect": {
        const payload = yield* decode(hostDisconnect.cli, DisconnectPayload(), typed.raw)
        const outcome = yield* disconnect({ ...payload, place: yield* placeOf(payload) })
        return yield* showOutcome(
          outcome,
          show,
          payload.dryRun,
          `${payload.host} has no entry for pyro: nothing to change\n`
        )
      }
      case "host.print-config": {
        yield* oneSelection(typed.raw)
        const payload = yield* decode(hostPrintConfig.cli, PrintConfigPayload(), typed.raw)
        return yield* showConfig(
          yield* printConfig({ ...payload, place: yield* placeOf(payload), server: yield* serverOf(payload) }),
          show
        )
      }
      case "host.doctor": {
        const payload = yield* decode(hostDoctor.cli, DoctorPayload(), typed.raw)
        const { doctor } = yield* Effect.promise(() => import("../agent-host/doctor.ts"))
        return yield* showDiagnosis(yield* doctor({ host: payload.host, ...yield* startOf(payload) }), show)
      }
      case "host.repair": {
        const payload = yield* decode(hostRepair.cli, DisconnectPayload(), typed.raw)
        yield* placeOf(payload)
        const outcome = yield* repair({ ...payload, ...yield* startOf(payload) })
        return yield* showOutcome(
          outcome,
          show,
          payload.dryRun,
          `the entry of ${payload.host} is as pyro writes it: nothing to change\n`
        )
      }
    }
  })

/** Replaces another name of a host by its own. */
const withHostName = (typed: Typed): Typed => {
  const name = typed.raw["host"]
  return typeof name === "string"
    ? { ...typed, raw: named<unknown>([...Object.entries(typed.raw), ["host", hostNameOf(name)]]) }
    : typed
}

/** The directory and the command with which a host would start the server. */
const startOf = ({ projectPath }: { readonly projectPath?: string }) =>
  Effect.gen(function*() {
    const { resolvePath } = yield* Terminal
    const { isProject, ownCommand, surroundings } = yield* Effect.promise(() => import("../agent-host/surroundings.ts"))
    const cwd = resolvePath(".")
    const place = surroundings(projectPath === undefined ? undefined : resolvePath(projectPath), cwd)
    const hasProject = isProject(place.project)
    return { place, cwd: hasProject ? place.project : cwd, own: ownCommand(cwd), hasProject }
  })

interface Where {
  readonly scope: "user" | "project"
  readonly projectPath?: string
}

const placeOf = ({ projectPath, scope }: Where) =>
  Effect.gen(function*() {
    const { resolvePath } = yield* Terminal
    const { isProject, surroundings } = yield* Effect.promise(() => import("../agent-host/surroundings.ts"))
    const place = surroundings(projectPath === undefined ? undefined : resolvePath(projectPath), resolvePath("."))
    return scope === "project" && !isProject(place.project)
      ? yield* new InvalidRequest({
        field: "--scope",
        detail: `${place.project} is no project; go to the directory of one, or name one with --project-path`
      })
      : place
  })

/** The command line of the server, checked as `pyro mcp serve` checks it. */
const serverOf = (
  { env, git, mode, profile, serveOptions }: {
    readonly git?: string
    readonly env?: Readonly<Record<string, string>>
    readonly mode?: string
    readonly profile: string
    readonly serveOptions: ReadonlyArray<string>
  }
) =>
  Effect.gen(function*() {
    const { resolvePath } = yield* Terminal
    const { ownCommand } = yield* Effect.promise(() => import("../agent-host/surroundings.ts"))
    const tools = mode !== undefined
      ? ["--mode", mode]
      : profile === "workspace-core"
      ? []
      : ["--profile", profile]
    const options = [...tools, ...git === undefined ? [] : ["--git", git], ...serveOptions]
    yield* checkServe(options)
    return { command: ownCommand(resolvePath(".")), args: ["mcp", "serve", ...options], env }
  })

interface Show {
  readonly json: boolean
  readonly quiet: boolean
}

const COLOURS = { ok: "green", warning: "yellow", failed: "red" } as const

const VERBS = { create: "created", change: "changed", remove: "removed" } as const

const showNotes = (notes: ReadonlyArray<string>, { quiet }: Show) =>
  quiet ? Effect.void : warn(notes.map((note) => `note: ${note}\n`).join(""))

const afterConnect = (host: string) =>
  `next: restart ${host} in your project, and ask for work in a pyro workspace\nnext: pyro host doctor ${host}\n`

const showOutcome = (outcome: Outcome, show: Show, dryRun: boolean, nothing: string) =>
  Effect.gen(function*() {
    const { colour, writeStdout } = yield* Terminal
    const { files, notes } = outcome
    if (show.json) {
      yield* printJson({ ...outcome, dry_run: dryRun })
      return 0
    }
    if (files.length === 0) yield* print(nothing)
    for (const { backup, change, diff, path } of files) {
      if (dryRun) yield* colour ? writeStdout(colouredPatch(diff)) : print(diff)
      else yield* print(`${VERBS[change]} ${path}${backup === undefined ? "" : ` (before: ${backup})`}\n`)
    }
    yield* showNotes(notes, show)
    return 0
  })

const showDiagnosis = (diagnosis: Diagnosis, { json }: Show) =>
  Effect.gen(function*() {
    const { checks } = diagnosis
    if (json) yield* printJson(diagnosis)
    else {
      yield* printTable([
        ["CHECK", "STATUS", "DETAIL"],
        ...checks.map(({ check, detail, status }) => [check, painted(COLOURS[status], status), detail])
      ], { head: true })
      yield* print(checks.map(({ fix }) => fix === undefined ? "" : `next: ${fix}\n`).join(""))
    }
    return checks.some(({ status }) => status === "failed") ? 1 : 0
  })

const showConfig = (shown: Shown, show: Show) =>
  Effect.gen(function*() {
    if (show.json) {
      yield* printJson(shown)
      return 0
    }
    yield* print(shown.files.map(({ path, text }) => `${path}:\n\n${text.trimEnd()}\n`).join("\n"))
    yield* showNotes(shown.notes, show)
    return 0
  })
