import { Cause, Effect, Exit, Option, Stream } from "effect"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { Random } from "./random.ts"

type Workspace = PyroService["workspace"]
type Request = (workspace: Workspace, id: string) => Effect.Effect<unknown, unknown>

const command = {
  env: {},
  cwd: "/workspace",
  user: "root",
  tty: false,
  rows: 24,
  cols: 80,
  maxBytes: 1_000,
  graceSeconds: 2,
  detach: false
} as const

export const exec = (workspace: Workspace, id: string, argv: ReadonlyArray<string>, more: object = {}) =>
  Stream.runDrain(workspace.exec({ ...command, workspace: id, command: argv, ...more }))

const patch = `--- a/tracked.txt
+++ b/tracked.txt
@@ -1,2 +1,2 @@
 one
-two
+zwei
`

/** The text of every file written: longer than one frame. */
const text = "a line of a file\n".repeat(6_000)

const diff = {
  paths: [],
  stat: false,
  nameOnly: false,
  includeIgnored: false,
  verified: false,
  maxBytes: 10_000
} as const

const exportOf = {
  ask: false,
  apply: false,
  includeIgnored: false,
  check: false,
  paths: [],
  exclude: [],
  overwrite: true,
  allowExecutableConfig: false,
  preserveTimes: false,
  maxMib: 64,
  maxEntries: 10_000
} as const

/** What a client asks of a workspace; `outputs` is a directory that exports go beneath. */
export const requestsOf = (outputs: string): Readonly<Record<string, Request>> => ({
  exec: (workspace, id) => exec(workspace, id, ["sh", "-c", "echo out; echo err >&2; exit 3"]),
  "exec with input": (workspace, id) =>
    Stream.runDrain(
      workspace.exec({ ...command, workspace: id, command: ["cat"] }, {
        stdin: Stream.make(Buffer.alloc(30_000, "x"), Buffer.from("end\n"))
      })
    ),
  "exec on a terminal": (workspace, id) => exec(workspace, id, ["echo", "tty"], { tty: true }),
  "exec of nothing": (workspace, id) => exec(workspace, id, ["no-such-program"]),
  "exec with a timeout": (workspace, id) => exec(workspace, id, ["sleep", "30"], { timeoutSeconds: 0.3 }),
  "exec detached": (workspace, id) => exec(workspace, id, ["seq", "2000"], { detach: true }),
  list: (workspace, id) => workspace.file.list({ workspace: id, path: ".", recursive: true, limit: 1_000 }),
  read: (workspace, id) => workspace.file.read({ workspace: id, path: "large.txt", startLine: 1, maxBytes: 262_144 }),
  "read of nothing": (workspace, id) =>
    workspace.file.read({ workspace: id, path: "absent", startLine: 1, maxBytes: 1_000 }),
  write: (workspace, id) => workspace.file.write({ workspace: id, path: "large.txt", text }),
  edit: (workspace, id) =>
    workspace.file.edit({ workspace: id, path: "tracked.txt", oldText: "one", newText: "one", replaceAll: false }),
  diff: (workspace, id) => workspace.diff({ ...diff, workspace: id }),
  "verified diff": (workspace, id) => workspace.diff({ ...diff, workspace: id, verified: true, includeIgnored: true }),
  patch: (workspace, id) => workspace.patch.apply({ workspace: id, patch, check: false }),
  "patch checked": (workspace, id) => workspace.patch.apply({ workspace: id, patch, check: true }),
  export: (workspace, id) =>
    Stream.runDrain(
      workspace.export({ ...exportOf, workspace: id, path: "", patch: false, output: `${outputs}/tree-${id}` })
    ),
  "export of a patch": (workspace, id) =>
    Stream.runDrain(
      workspace.export({ ...exportOf, workspace: id, path: "", patch: true, output: `${outputs}/patch-${id}` })
    ),
  summary: (workspace, id) => workspace.summary({ workspace: id }),
  logs: (workspace, id) => workspace.logs({ workspace: id, cursor: 0, encoding: "text", maxBytes: 10_000, limit: 10 }),
  status: (workspace, id) => workspace.status({ workspace: id })
})

/** How requests ended. */
export class Ends {
  requests = 0
  /** By the code of the typed error; `ok` without one. */
  readonly codes: Record<string, number> = {}
  /** What broke the channels, digits and names left out. */
  readonly violations: Record<string, number> = {}
  /** Ends that no request may have: a defect, something untyped, none in time. */
  readonly wrong: Array<string> = []

  count(name: string, exit: Exit.Exit<unknown, unknown>) {
    this.requests++
    if (Exit.isSuccess(exit)) return this.#add(this.codes, "ok")
    const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause)) as
      | { readonly _tag?: unknown; readonly code?: unknown; readonly detail?: unknown }
      | undefined
    if (Cause.hasDies(exit.cause) || typeof failure?.code !== "string") {
      return void this.wrong.push(`${name}: ${Cause.pretty(exit.cause).slice(0, 2_000)}`)
    }
    this.#add(this.codes, failure.code)
    if (failure.code === "channel_failed") {
      this.#add(
        this.violations,
        String(failure.detail).replace(/"[^]*"/g, "…").replace(/0x[0-9a-f]+|\d+/g, "N")
      )
    }
  }

  #add(counts: Record<string, number>, key: string) {
    counts[key] = (counts[key] ?? 0) + 1
  }
}

/** Longest that any request may take, in ms: those of the storm never wait for more than the agent's silence. */
const REQUEST_MS = 20_000

/** One request, whose end is counted. */
export const ask = (requests: Readonly<Record<string, Request>>, name: string, id: string, ends: Ends) =>
  Effect.gen(function*() {
    const { workspace } = yield* Pyro
    const exit = yield* requests[name]!(workspace, id).pipe(
      Effect.timeoutOrElse({ duration: REQUEST_MS, orElse: () => Effect.fail("no end") }),
      Effect.exit
    )
    ends.count(name, exit)
  })

export const anyOf = (requests: Readonly<Record<string, Request>>, random: Random) => random.pick(Object.keys(requests))
