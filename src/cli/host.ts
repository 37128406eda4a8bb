import { Effect } from "effect"
import type { Outcome, Shown } from "../agent-host/administer.ts"
import type { Diagnosis } from "../agent-host/doctor.ts"
import { type HostEntryDiffers, type HostFileUnusable, InvalidRequest } from "../contract/errors/errors.ts"
import { hostNameOf } from "../contract/rows/agent-host.ts"
import { named } from "../contract/text/names.ts"
import { printable } from "../contract/text/printable.ts"
import { decode, parse, type Typed } from "./arguments/parser.ts"
import { note, OutputOptions, print, printJson } from "./output/print.ts"
import { painted, printTable } from "./output/table.ts"
import { type HostCommand } from "./rows/host.ts"
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
  Effect.flatMap(
    parse(command, words, rest),
    (typed) =>
      Effect.provideService(performTyped(command, withHostName(typed)), OutputOptions, {
        quiet: typed.quiet,
        switches: new Set<string>()
      })
  )

const performTyped = (command: HostCommand, { json, raw }: Typed): Effect.Effect<number, Failure, Terminal> =>
  Effect.gen(function*() {
    const { connect, disconnect, printConfig, repair } = yield* Effect.promise(() =>
      import("../agent-host/administer.ts")
    )
    switch (command.name) {
      case "host.connect": {
        yield* oneSelection(raw)
        const payload = yield* decode(command.cli, command.payload(), raw)
        const outcome = yield* connect({ ...payload, place: yield* placeOf(payload), server: yield* serverOf(payload) })
        yield* showOutcome(outcome, json, payload, `${payload.host} has this entry already: nothing to change\n`)
        const isWritten = outcome.files.length > 0 && !payload.dryRun
        if (isWritten && !json) yield* note(afterConnect(payload.host))
        return 0
      }
      case "host.disconnect": {
        const payload = yield* decode(command.cli, command.payload(), raw)
        const outcome = yield* disconnect({ ...payload, place: yield* placeOf(payload) })
        yield* showOutcome(
          outcome,
          json,
          payload,
          `${printable(outcome.config)} has no entry that pyro wrote: nothing to change\n`
        )
        if (outcome.files.length > 0 && !payload.dryRun && !json) yield* note(afterDisconnect(payload.host))
        return 0
      }
      case "host.print-config": {
        yield* oneSelection(raw)
        const payload = yield* decode(command.cli, command.payload(), raw)
        const shown = yield* printConfig({
          ...payload,
          place: yield* placeOf(payload),
          server: yield* serverOf(payload)
        })
        yield* json ? printJson(shown) : showConfig(shown)
        return 0
      }
      case "host.doctor": {
        const payload = yield* decode(command.cli, command.payload(), raw)
        const { doctor } = yield* Effect.promise(() => import("../agent-host/doctor.ts"))
        const diagnosis = yield* doctor({ host: payload.host, ...yield* startOf(payload) })
        yield* json ? printJson(diagnosis) : showDiagnosis(diagnosis)
        return diagnosis.checks.some(({ status }) => status === "failed") ? 1 : 0
      }
      case "host.repair": {
        const payload = yield* decode(command.cli, command.payload(), raw)
        yield* placeOf(payload)
        const outcome = yield* repair({ ...payload, ...yield* startOf(payload) })
        const nothing = `the entry of ${payload.host} is as pyro writes it: nothing to change\n`
        yield* showOutcome(outcome, json, payload, nothing)
        return 0
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

/** The place of the configuration. Fails if the scope needs a project and there is none. */
const placeOf = (where: { readonly scope: "user" | "project"; readonly projectPath?: string }) =>
  Effect.flatMap(startOf(where), ({ hasProject, place }) =>
    where.scope === "project" && !hasProject
      ? new InvalidRequest({
        field: "--scope",
        detail: `${place.project} is no project; go to the directory of one, or name one with --project-path`
      })
      : Effect.succeed(place))

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

const COLOURS = { ok: "green", warning: "yellow", failed: "red" } as const

const VERBS = { create: "created", change: "changed", remove: "removed" } as const

const showNotes = (notes: ReadonlyArray<string>) => note(notes.map((one) => `note: ${one}\n`).join(""))

const afterConnect = (host: string) =>
  `next: restart ${host} in your project, and ask for work in a pyro workspace\nnext: pyro host doctor ${host}\n`

const afterDisconnect = (host: string) =>
  `next: restart ${host}: a session that runs keeps pyro's server. Workspaces stay: pyro list\n`

const showOutcome = (
  outcome: Outcome,
  json: boolean,
  { dryRun }: { readonly dryRun: boolean },
  nothing: string
) =>
  Effect.gen(function*() {
    const { colour, writeStdout } = yield* Terminal
    const { files, notes } = outcome
    if (json) return yield* printJson({ ...outcome, dry_run: dryRun })
    if (files.length === 0) yield* print(nothing)
    for (const { backup, change, diff, path } of files) {
      if (dryRun) yield* colour ? writeStdout(colouredPatch(diff)) : print(diff)
      else yield* print(`${VERBS[change]} ${path}${backup === undefined ? "" : ` (before: ${backup})`}\n`)
    }
    yield* showNotes(notes)
  })

const showDiagnosis = ({ checks }: Diagnosis) =>
  Effect.andThen(
    printTable([
      ["CHECK", "STATUS", "DETAIL"],
      ...checks.map(({ check, detail, status }) => [check, painted(COLOURS[status], status), detail])
    ], { head: true }),
    print(checks.map(({ fix }) => fix === undefined ? "" : `next: ${fix}\n`).join(""))
  )

const showConfig = ({ files, notes }: Shown) =>
  Effect.andThen(
    print(files.map(({ path, text }) => `${path}:\n\n${text.trimEnd()}\n`).join("\n")),
    showNotes(notes)
  )
