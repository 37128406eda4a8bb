import { Effect, Schema, Stream } from "effect"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import { halfCharacterIn } from "../../contract/errors/half-character.ts"
import { invalidRequest } from "../../contract/errors/issue.ts"
import { Pyro } from "../../contract/rows/Pyro.ts"
import { byName } from "../../contract/text/names.ts"
import type { Surface } from "../../project/surface.ts"
import { callersPath } from "../../system/files/host-path.ts"
import { processEnvironment } from "../../system/settings/config.ts"
import { inStateDirectory } from "../model/state-directory.ts"
import type { DownOptions, UpOptions } from "../promises/project.ts"
import { demandFunctions } from "./exec.ts"
import { hostOf } from "./host.ts"
import { workspaceOf } from "./workspace.ts"

type Up = Omit<UpOptions, "signal">
type Down = Omit<DownOptions, "signal">

/** A program that stands in for a person: its grants come with the call. */
const surfaceOf = ({ consent, onLine, secrets }: Up): Surface => {
  const say = (text: string) => Effect.sync(() => onLine?.(text))
  return {
    // Only `true` and a list grant anything, also from a program without types.
    grants: (_, asks) =>
      Effect.succeed(consent === true || Array.isArray(consent) && asks.every((ask) => consent.includes(ask))),
    // Docker's logins are for the person's own command line.
    withLogins: (_, payload) => Effect.succeed(payload),
    show: (row, payload, events) =>
      Effect.suspend(() => {
        const folding = row.fold(payload)
        return Stream.runForEach(events, (event) => {
          folding.add(event)
          return "message" in event && typeof event.message === "string" ? say(event.message) : Effect.void
        }).pipe(
          Effect.flatMap(() => {
            const result = folding.result()
            return result === undefined
              ? Effect.fail(new ChannelFailed({ detail: "the stream of events ended without its last" }))
              : Effect.succeed(result)
          })
        )
      }),
    output: () => Effect.void,
    say,
    variable: (name) => (secrets ?? processEnvironment())[name]
  }
}

const KnownDown = Schema.Struct({
  directory: Schema.optional(Schema.NonEmptyString),
  delete: Schema.optional(Schema.Boolean)
})

const KnownUp = Schema.Struct({
  directory: Schema.optional(Schema.NonEmptyString),
  // A value that is no grant of a known form grants nothing.
  consent: Schema.optional(Schema.Any),
  recreate: Schema.optional(Schema.Boolean),
  secrets: Schema.optional(byName(Schema.String)),
  onLine: Schema.optional(Schema.Any)
})

/** The options of a call, also from a caller without types. */
const readOptions = <A extends object>(known: Schema.Codec<A, unknown>, options: object) =>
  Schema.decodeUnknownEffect(Schema.toType(known), { onExcessProperty: "error", reportInput: true })(options).pipe(
    Effect.mapError((error) => invalidRequest(error)),
    Effect.flatMap((read) => {
      const refused = halfCharacterIn(read)
      return refused === undefined ? Effect.succeed(read) : Effect.fail(refused)
    })
  )

const place = (directory: string | undefined) => ({
  directory: directory === undefined ? undefined : callersPath(directory),
  cwd: callersPath(".")
})

const changedText = ({ before, key, now }: { readonly key: string; readonly before: unknown; readonly now: unknown }) =>
  `${key}: ${JSON.stringify(before) ?? "nothing"} -> ${
    JSON.stringify(now) ?? "nothing"
  } needs another workspace: recreate`

/** The workspace of a project, made or resumed as its file says. It stays. */
export const up = (given: Up = {}) =>
  Effect.gen(function*() {
    yield* demandFunctions({ onLine: given.onLine })
    const options = yield* readOptions(KnownUp, given)
    const { directory, onLine, recreate = false } = options
    const on = hostOf(yield* Pyro)
    // Programs without projects do not load what reads their files.
    const project = yield* Effect.promise(() => import("../../project/up.ts"))
    const { change, workspace } = yield* on.use(
      inStateDirectory(project.up({ ...place(directory), recreate }, surfaceOf(options)))
    )
    for (const one of change.ofNew) onLine?.(changedText(one))
    return workspaceOf(on, workspace, false)
  })

/** Pauses or deletes the workspace of a project. */
export const down = (given: Down = {}) =>
  Effect.gen(function*() {
    const options = yield* readOptions(KnownDown, given)
    const on = hostOf(yield* Pyro)
    const project = yield* Effect.promise(() => import("../../project/down.ts"))
    const asked = { ...place(options.directory), delete: options.delete ?? false }
    const { outcome } = yield* on.use(inStateDirectory(project.down(asked, surfaceOf({}))))
    return outcome
  })
