import type * as CliConfig from "@effect/cli/CliConfig"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import type * as ValidationError from "@effect/cli/ValidationError"
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import type { Terminal } from "@effect/platform/Terminal"
import { Context, Effect, Either, Option, ParseResult, Schema } from "effect"
import { InvalidRequest } from "../contract/errors.ts"
import type { CliSurface, PureSchema } from "../contract/operation.ts"
import type { Operation } from "../contract/operations.ts"
import { type PayloadField, payloadFields } from "../contract/payload-fields.ts"
import { closest } from "./argv.ts"
import { shielded } from "./words.ts"

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

/** The option of a field; what it yields is a list of tokens, empty when the flag was not given. */
const optionOf = (cli: CliSurface, { kind, name, required }: PayloadField): Options.Options<ReadonlyArray<string>> => {
  const flag = flagName(cli, name)
  switch (kind._tag) {
    case "boolean":
      return Options.map(Options.boolean(flag), (given) => given ? ["true"] : [])
    case "list":
    case "map":
      return Options.repeated(Options.text(flag))
    default:
      return required
        ? Options.map(Options.text(flag), (token) => [token])
        : Options.map(Options.optional(Options.text(flag)), Option.toArray)
  }
}

/** Reads the words before `--` of one operation; fails with what to correct. */
export const parse = (
  operation: Operation,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined,
  defaults: Defaults = {}
): Effect.Effect<Typed, InvalidRequest> => {
  const cli: CliSurface = operation.cli
  const called = `pyro ${cli.path.join(" ")}`
  const fields = flagFields(operation)
  const flagsOf = (some: ReadonlyArray<PayloadField>) => some.map((field) => `--${flagName(cli, field.name)}`)
  const flags = {
    all: [...flagsOf(fields), "--json"],
    takingValues: flagsOf(fields.filter((field) => field.kind._tag !== "boolean"))
  }
  const unknownFlag = (word: string) => {
    const near = closest(word, flags.all)
    const guests = cli.rest !== undefined && rest === undefined ? "; the guest's command goes after --" : ""
    return wrong(`no option ${word}` + (near === undefined || near === word ? guests : `; did you mean ${near}?`))
  }
  const surplus = (word: string, args: ReadonlyArray<string>, others: ReadonlyArray<string>) =>
    flags.all.includes(word)
      ? wrong(`${word} is given twice`)
      : wrong(
        `unexpected "${word}"` +
          (cli.rest === undefined
            ? ""
            : `; the guest's command goes after --: ${[called, ...args, "--", word, ...others].join(" ")}`)
      )

  return Effect.gen(function*() {
    if (rest !== undefined && cli.rest === undefined) return yield* wrong(`${called} takes nothing after --`)
    const { restore, words: safe } = yield* Either.mapLeft(shielded(words, flags), unknownFlag)
    // @effect/cli takes milliseconds for each option that it looks for in vain.
    const typed = fields.filter((field) => field.required || safe.includes(`--${flagName(cli, field.name)}`))
    const options = Options.all({
      own: Options.all(typed.map((field) => optionOf(cli, field))),
      json: Options.boolean("json")
    })
    const [late, leftover, given] = yield* Options.processCommandLine(options, safe, CONFIG)
    if (Option.isSome(late)) return yield* Effect.fail(late.value)
    const { missing, others, values } = positional(operation, leftover.map(restore), defaults)
    if (missing !== undefined) return yield* wrong(`missing <${missing}>`)
    const [first, ...more] = others
    if (first !== undefined) return yield* surplus(first, leftover.map(restore).slice(0, -others.length), more)
    const raw: Record<string, unknown> = values
    for (const [at, field] of typed.entries()) {
      const values = (given.own[at] ?? []).map(restore)
      if (values.length > 0) raw[field.name] = yield* fromWords(cli, field, values)
    }
    if (cli.rest !== undefined && rest !== undefined) raw[cli.rest] = rest
    return { raw, json: given.json }
  }).pipe(
    Effect.mapError((error) => error._tag === "InvalidRequest" ? error : wrong(inPlainWords(error))),
    Effect.provide(NO_SERVICES)
  )
}

/** Values for positional arguments that were not typed, by JSON name. */
export type Defaults = Readonly<Record<string, string | undefined>>

/** Gives words to the positional arguments: required ones first, then from left to right; a list takes all that are left. */
const positional = (operation: Operation, words: ReadonlyArray<string>, defaults: Defaults) => {
  const cli: CliSurface = operation.cli
  const fields = payloadFields(operation.payload())
  const args = cli.args.map((name) => fields.find((field) => field.name === name)!)
  const given = (name: string) => words.length < cli.args.length ? defaults[name] : undefined
  const values: Record<string, unknown> = {}
  const left = [...words]
  for (const { kind, name, required } of args) {
    const fallback = given(name)
    if (kind._tag === "list") {
      if (left.length > 0) values[name] = left.splice(0)
      else if (fallback !== undefined) values[name] = [fallback]
    } else if (fallback !== undefined) values[name] = fallback
    else if (left.length > 0) values[name] = left.shift()
    else if (required) return { missing: name, others: [], values }
  }
  return { missing: undefined, others: left, values }
}

/** A field's JSON from the words that were given for it. */
const fromWords = (
  cli: CliSurface,
  field: PayloadField,
  values: ReadonlyArray<string>
): Effect.Effect<unknown, InvalidRequest> => {
  const refuse = (detail: string) => new InvalidRequest({ field: `--${flagName(cli, field.name)}`, detail })
  const [first = ""] = values
  switch (field.kind._tag) {
    case "boolean":
      return Effect.succeed(true)
    case "integer":
    case "number":
      return first.trim() === "" || Number.isNaN(Number(first))
        ? refuse(`"${first}" is not a number`)
        : Effect.succeed(Number(first))
    case "list":
      return Effect.succeed(values)
    case "map": {
      const bad = values.find((pair) => pair.indexOf("=") < 1)
      return bad === undefined
        ? Effect.succeed(Object.fromEntries(values.map((pair) => pair.split(/=(.*)/s, 2))))
        : refuse(`"${bad}" must be NAME=VALUE`)
    }
    default:
      return Effect.succeed(first)
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

/** What the parser's type asks for; only prompts and file options would use it, and pyro has neither. */
const NO_SERVICES = Context.empty() as Context.Context<FileSystem | Path | Terminal>
