import * as Args from "@effect/cli/Args"
import type * as CliConfig from "@effect/cli/CliConfig"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import type * as ValidationError from "@effect/cli/ValidationError"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Terminal from "@effect/platform/Terminal"
import { Effect, Either, Layer, Mailbox, Option, ParseResult, Schema } from "effect"
import { InvalidRequest } from "../contract/errors.ts"
import type { CliSurface, PureSchema } from "../contract/operation.ts"
import type { Operation } from "../contract/operations.ts"
import { type PayloadField, payloadFields } from "../contract/payload-fields.ts"
import { closest } from "./argv.ts"

/** A command line understood: the payload's JSON side as typed, and what the CLI itself was told. */
export interface Typed {
  readonly raw: Readonly<Record<string, unknown>>
  readonly json: boolean
}

const CONFIG: CliConfig.CliConfig = {
  isCaseSensitive: true,
  autoCorrectLimit: 0,
  finalCheckBuiltIn: false,
  showAllNames: false,
  showBuiltIns: false,
  showTypes: false
}

/** `memory_mib` -> `mem-mib`: the flag of a field, without its dashes. */
export const flagName = (cli: CliSurface, field: string): string => cli.flags?.[field] ?? field.replaceAll("_", "-")

/** The fields of an operation that are flags. */
export const flagFields = (operation: Operation): ReadonlyArray<PayloadField> => {
  const cli: CliSurface = operation.cli
  return payloadFields(operation.payload()).filter(({ name }) =>
    !cli.args.includes(name) && cli.rest !== name && cli.filled?.includes(name) !== true
  )
}

const optionOf = (cli: CliSurface, field: PayloadField): Options.Options<unknown> => {
  const name = flagName(cli, field.name)
  const option = (): Options.Options<unknown> => {
    switch (field.kind._tag) {
      case "boolean":
        return Options.boolean(name).pipe(Options.map((given) => given ? Option.some(true) : Option.none()))
      case "list":
      case "map":
        return Options.repeated(Options.text(name)).pipe(
          Options.map((given) => given.length === 0 ? Option.none() : Option.some(given))
        )
      case "choice":
        return Options.choice(name, field.kind.choices)
      default:
        return Options.text(name)
    }
  }
  const alwaysThere = field.kind._tag === "boolean" || field.kind._tag === "list" || field.kind._tag === "map"
  return field.required || alwaysThere ? option() : Options.optional(option())
}

/** Reads the words before `--` of one operation; fails with what to correct. */
export const parse = (
  operation: Operation,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): Effect.Effect<Typed, InvalidRequest> => {
  const cli: CliSurface = operation.cli
  const fields = flagFields(operation)
  const flagsOf = (some: ReadonlyArray<PayloadField>) => some.map((field) => `--${flagName(cli, field.name)}`)
  const flags = [...flagsOf(fields), "--json"]
  const takingValues = flagsOf(fields.filter((field) => field.kind._tag !== "boolean"))
  const options = Options.all({
    ...Object.fromEntries(fields.map((field) => [field.name, optionOf(cli, field)])),
    json: Options.boolean("json")
  })
  const positional: Args.Args<ReadonlyArray<string>> = cli.args.length === 0
    ? Args.map(Args.none, () => [])
    : Args.all(cli.args.map((name) => Args.text({ name })))

  return Effect.gen(function*() {
    if (rest !== undefined && cli.rest === undefined) {
      return yield* wrong(`pyro ${cli.path.join(" ")} takes nothing after --`)
    }
    const unknown = words.find((word, at) =>
      word.startsWith("-") && word !== "-" && !isFlag(word, flags) && !takingValues.includes(words[at - 1] ?? "")
    )
    if (unknown !== undefined) {
      const near = closest(unknown, flags)
      const guests = cli.rest !== undefined && rest === undefined ? `; the guest's command goes after --` : ""
      return yield* wrong(`no option ${unknown}` + (near === undefined ? guests : `; did you mean ${near}?`))
    }
    const [late, leftover, given] = yield* Options.processCommandLine(options, words, CONFIG)
    if (Option.isSome(late)) return yield* Effect.fail(late.value)
    if (leftover.length < cli.args.length) return yield* wrong(`missing <${cli.args[leftover.length] ?? ""}>`)
    const [surplus, args] = yield* Args.validate(positional, leftover, CONFIG)
    if (surplus.length > 0) {
      return yield* wrong(
        cli.rest === undefined
          ? `unexpected "${surplus[0]}"`
          : `unexpected "${surplus[0]}"; the guest's command goes after --: pyro ${cli.path.join(" ")} ${
            args.join(" ")
          } -- ${surplus.join(" ")}`
      )
    }
    const raw: Record<string, unknown> = Object.fromEntries(cli.args.map((name, at) => [name, args[at]]))
    for (const field of fields) {
      const value = (given as Record<string, unknown>)[field.name]
      const typed = Option.isOption(value) ? Option.getOrUndefined(value) : value
      if (typed !== undefined) raw[field.name] = yield* fromWords(cli, field, typed)
    }
    if (cli.rest !== undefined && rest !== undefined) raw[cli.rest] = rest
    return { raw, json: given.json }
  }).pipe(
    Effect.mapError((error) => error._tag === "InvalidRequest" ? error : wrong(inPlainWords(error))),
    Effect.provide(NoPrompts)
  )
}

const isFlag = (word: string, flags: ReadonlyArray<string>) =>
  flags.some((flag) => word === flag || word.startsWith(`${flag}=`))

const fromWords = (cli: CliSurface, field: PayloadField, typed: unknown): Effect.Effect<unknown, InvalidRequest> => {
  const flag = `--${flagName(cli, field.name)}`
  switch (field.kind._tag) {
    case "integer":
    case "number": {
      const word = String(typed).trim()
      return word === "" || Number.isNaN(Number(word))
        ? new InvalidRequest({ field: flag, detail: `"${word}" is not a number` })
        : Effect.succeed(Number(word))
    }
    case "map": {
      const pairs = (typed as ReadonlyArray<string>).map((pair) => pair.split(/=(.*)/s, 2))
      const bad = pairs.findIndex(([name, value]) => name === "" || value === undefined)
      return bad >= 0
        ? new InvalidRequest({ field: flag, detail: `"${(typed as ReadonlyArray<string>)[bad]}" must be NAME=VALUE` })
        : Effect.succeed(Object.fromEntries(pairs))
    }
    default:
      return Effect.succeed(typed)
  }
}

/** Judges what was typed by the operation's own Schema; failures name the flag. */
export const decode = <S extends PureSchema>(
  cli: CliSurface,
  payload: S,
  raw: Readonly<Record<string, unknown>>
): Either.Either<S["Type"], InvalidRequest> =>
  Schema.decodeUnknownEither(payload, { onExcessProperty: "error" })(raw).pipe(Either.mapLeft((error) => {
    const issue = ParseResult.ArrayFormatter.formatErrorSync(error)[0]
    const field = String(issue?.path[0] ?? "")
    const name = field === "" || field === cli.rest
      ? field
      : cli.args.includes(field)
      ? `<${field}>`
      : `--${flagName(cli, field)}`
    return new InvalidRequest({ field: name, detail: issue?.message ?? error.message })
  }))

const wrong = (detail: string) => new InvalidRequest({ field: "", detail })

const inPlainWords = (error: ValidationError.ValidationError): string =>
  HelpDoc.toAnsiText(error.error).replace(/\u001b\[[0-9;]*m/g, "").replace(/\s+/g, " ").trim()

/** What the parser's type asks for and only prompts and file options would use; pyro has neither. */
const NoPrompts = Layer.mergeAll(
  FileSystem.layerNoop({}),
  Path.layer,
  Layer.sync(Terminal.Terminal, () =>
    Terminal.Terminal.of({
      columns: Effect.succeed(80),
      rows: Effect.succeed(24),
      isTTY: Effect.succeed(false),
      readInput: Effect.flatMap(Mailbox.make<Terminal.UserInput>(), (mailbox) => Effect.as(mailbox.end, mailbox)),
      readLine: Effect.fail(new Terminal.QuitException()),
      display: () => Effect.void
    }))
)
