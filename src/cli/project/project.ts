import { Effect } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { Pyro } from "../../contract/rows/Pyro.ts"
import { decode, parse } from "../arguments/parser.ts"
import { note, OutputOptions, printJson } from "../output/print.ts"
import { withPaths } from "../perform/host-paths.ts"
import { warnOfProxies } from "../perform/stale-daemon.ts"
import { DownPayload, type ProjectCommand, UpPayload } from "../rows/project.ts"
import { type OutputClosed, Terminal } from "../terminal/Terminal.ts"
import { surfaceOf } from "./surface.ts"
import { downJson, showDown, shownJson, showProject, showUp, upJson } from "./views.ts"

/** Performs a command of a project and returns the exit status. */
export const performProject = (
  command: ProjectCommand,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): Effect.Effect<number, PyroError | OutputClosed, Pyro | Terminal> =>
  Effect.gen(function*() {
    const { json, quiet, raw: typed } = yield* parse(command, words, rest)
    const { resolvePath } = yield* Terminal
    const raw = withPaths(command.cli, typed, resolvePath)
    const cwd = resolvePath(".")
    const { inOwnState } = yield* Effect.promise(() => import("../../project/own-state.ts"))
    return yield* Effect.gen(function*() {
      switch (command.name) {
        case "workspace.up": {
          const { directory, dryRun, recreate, yes } = yield* decode(command.cli, UpPayload(), raw)
          if (dryRun) {
            const { show } = yield* Effect.promise(() => import("../../project/show.ts"))
            const shown = yield* show({ directory, cwd })
            return yield* json ? printJson(shownJson(shown)) : showProject(shown)
          }
          const { up } = yield* Effect.promise(() => import("../../project/up.ts"))
          const done = yield* up({ directory, cwd, recreate }, yield* surfaceOf(yes)).pipe(
            Effect.onInterrupt(() => json ? Effect.void : note("pyro: interrupted: `pyro up` goes on from here\n"))
          )
          // `create` has reported that for a new workspace.
          if (done.was !== "created") yield* warnOfProxies(done.workspace)
          return yield* json ? printJson(upJson(done)) : showUp(done)
        }
        case "workspace.down": {
          const { delete: wantsDelete, directory } = yield* decode(command.cli, DownPayload(), raw)
          const { down } = yield* Effect.promise(() => import("../../project/down.ts"))
          const done = yield* down({ directory, cwd, delete: wantsDelete }, yield* surfaceOf(false))
          return yield* json ? printJson(downJson(done)) : showDown(done)
        }
      }
    }).pipe(
      Effect.provideService(OutputOptions, { quiet, switches: new Set<string>() }),
      inOwnState,
      Effect.as(0)
    )
  })
