import { Effect, Redacted } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { mappingOf } from "../contract/rows/secret-fields.ts"
import { named } from "../contract/text/names.ts"
import { decode, parse, type Typed } from "./arguments/parser.ts"
import { mcpServe, ServePayload } from "./rows/rows.ts"

/** Refuses a mode together with a profile: each chooses the tools. */
export const oneSelection = (raw: Readonly<Record<string, unknown>>): Effect.Effect<void, InvalidRequest> =>
  raw["mode"] !== undefined && raw["profile"] !== undefined
    ? Effect.fail(new InvalidRequest({ field: "--mode", detail: "cannot be combined with --profile" }))
    : Effect.void

/** The options of `pyro mcp serve`, from their JSON. */
export const serveOptions = (raw: Readonly<Record<string, unknown>>): Effect.Effect<ServePayload, InvalidRequest> =>
  Effect.andThen(oneSelection(raw), decode(mcpServe.cli, ServePayload(), raw))

/** The secrets of options, without their values: an agent host may have other variables than this terminal. */
const namedSecrets = ({ lists = {} }: Typed) =>
  named(
    [...lists["secret-env"] ?? [], ...lists["secret-file"] ?? []]
      .map((word) => [mappingOf(word).name, Redacted.make("")] as const)
  )

/** Fails as `pyro mcp serve` with these words would, and starts nothing. */
export const checkServe = (words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const typed = yield* parse(mcpServe, words, undefined)
    const options = yield* serveOptions(typed.raw)
    const { bindProject } = yield* Effect.promise(() => import("../sdk/project.ts"))
    yield* Effect.fromResult(bindProject({ ...options, secrets: namedSecrets(typed) }))
  })
