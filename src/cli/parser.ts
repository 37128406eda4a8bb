import type * as CliConfig from "@effect/cli/CliConfig"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import type * as ValidationError from "@effect/cli/ValidationError"
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import type { Terminal } from "@effect/platform/Terminal"
import { Context, Effect, Either, Option, Schema } from "effect"
import { InvalidRequest } from "../contract/errors.ts"
import { firstIssue } from "../contract/issue.ts"
import { named } from "../contract/names.ts"
import type { CliSurface, PureSchema } from "../contract/operation.ts"
import { type PayloadField, payloadFields } from "../contract/payload-fields.ts"
import type { Command } from "./commands.ts"
import { afterEnvironment } from "./first-word.ts"
import { type Flag, flagName, flagsOf } from "./flags.ts"
import { type Defaults, positional } from "./positional.ts"
import { numberOf, unitOf } from "./units.ts"
import { type BadWord, shielded, takeRepeated } from "./words.ts"
import { wrongOption } from "./wrong-option.ts"

/** A parsed command line: the payload's JSON side, and the flags of the CLI itself. */
export interface Typed {
  readonly raw: Readonly<Record<string, unknown>>
  /** Values of the flags that no field has; a switch has the value `true`. */
  readonly extras: Readonly<Record<string, string>>
  readonly json: boolean
  readonly quiet: boolean
}

const CONFIG: CliConfig.CliConfig = {
  isCaseSensitive: true,
  autoCorrectLimit: 0,
  finalCheckBuiltIn: false,
  showAllNames: false,
  showBuiltIns: false,
  showTypes: false
}

/** The option of a flag that is given once; what it yields is a list of tokens, empty when it was not given. */
const optionOf = ({ name, required, value }: Flag): Options.Options<ReadonlyArray<string>> => {
  if (value === undefined) return Options.map(Options.boolean(name), (given) => given ? ["true"] : [])
  return required
    ? Options.map(Options.text(name), (token) => [token])
    : Options.map(Options.optional(Options.text(name)), Option.toArray)
}

/** Reads the words before `--` of one operation; fails with what to correct. */
export const parse = (
  operation: Command,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined,
  defaults: Defaults = {}
): Effect.Effect<Typed, InvalidRequest> => {
  const cli: CliSurface = operation.cli
  const command = `pyro ${cli.path.join(" ")}`
  const flags = flagsOf(operation)
  const known = {
    all: flags.map(({ name }) => `--${name}`),
    takingValues: flags.flatMap(({ name, value }) => value === undefined ? [] : [`--${name}`]),
    letters: new Map(
      flags.flatMap(({ letter, name }) => letter === undefined ? [] : [[letter, `--${name}`] as const])
    ),
    greedy: (cli.greedy ?? []).map((field) => `--${flagName(cli, field)}`)
  }
  const refused = (bad: BadWord) =>
    wrong(bad._tag === "NoValue" ? `${bad.flag} needs a value` : wrongOption(operation, bad.word, known.all, rest))
  const surplus = (word: string, args: ReadonlyArray<string>, others: ReadonlyArray<string>) => {
    if (known.all.includes(word)) return wrong(`${word} is given twice`)
    if (cli.rest === undefined) return wrong(`unexpected "${word}"`)
    const misplaced = afterEnvironment(cli, [...args, word, ...others])
    const corrected = () => [command, ...args, "--", word, ...others].join(" ")
    return wrong(`unexpected "${word}"; ${misplaced ?? `the guest's command goes after --: ${corrected()}`}`)
  }

  return Effect.gen(function*() {
    const { restore, words: safe } = yield* Either.mapLeft(shielded(words, known), refused)
    const repeatable = flags.flatMap(({ name, repeated }) => repeated ? [`--${name}`] : [])
    const { others: single, values: tokens } = takeRepeated(safe, repeatable)
    // @effect/cli takes milliseconds for each option that it looks for in vain.
    const once = flags.filter(({ name, repeated, required }) => !repeated && (required || single.includes(`--${name}`)))
    const options = Options.all(once.map(optionOf))
    const [late, leftover, given] = yield* Options.processCommandLine(options, single, CONFIG)
    if (Option.isSome(late)) return yield* Effect.fail(late.value)
    const raw = named<unknown>([])
    const extras = named<string>([])
    for (const [at, { name }] of once.entries()) tokens.set(`--${name}`, [...given[at] ?? []])
    for (const flag of flags) {
      const values = (tokens.get(`--${flag.name}`) ?? []).map(restore)
      if (values[0] === undefined) continue
      if (flag.field === undefined) extras[flag.name] = values[0]
      else raw[flag.field.name] = yield* fromWords(flag.name, flag.field, values)
    }
    // Words after -- that are no guest's command are as they are, dashes and all.
    const operands = [...leftover.map(restore), ...(cli.rest === undefined ? rest ?? [] : [])]
    giveBack(cli, raw, operands)
    const { missing, others, values } = positional(operation, operands, raw, defaults)
    if (missing !== undefined) {
      const instead = cli.unless?.[missing] ?? cli.neededWithout?.[missing]
      return yield* wrong(`missing <${missing}>` + (instead === undefined ? "" : `, or --${flagName(cli, instead)}`))
    }
    const [first, ...more] = others
    if (first !== undefined) return yield* surplus(first, operands.slice(0, -others.length), more)
    Object.assign(raw, values)
    if (cli.rest !== undefined && rest !== undefined) raw[cli.rest] = rest
    return { raw, extras, json: extras["json"] !== undefined, quiet: extras["quiet"] !== undefined }
  }).pipe(
    Effect.mapError((error) => error._tag === "InvalidRequest" ? error : wrong(inPlainWords(error))),
    Effect.provide(NO_SERVICES)
  )
}

/** The last value of a flag that takes all words is the argument that nobody gave: `env build --packages git web`. */
const giveBack = (cli: CliSurface, raw: Record<string, unknown>, operands: Array<string>) => {
  for (const field of cli.greedy ?? []) {
    const values = (raw[field] ?? []) as ReadonlyArray<string>
    if (operands.length >= cli.args.length || values.length < 2) continue
    operands.push(values.at(-1)!)
    raw[field] = values.slice(0, -1)
  }
}

/** A field's JSON from the words that were given for it. */
const fromWords = (
  flag: string,
  field: PayloadField,
  values: ReadonlyArray<string>
): Effect.Effect<unknown, InvalidRequest> => {
  const refuse = (detail: string) => new InvalidRequest({ field: `--${flag}`, detail })
  const [first = ""] = values
  switch (field.kind._tag) {
    case "boolean":
      return Effect.succeed(true)
    case "integer":
    case "number": {
      const number = numberOf(first, unitOf(field.name))
      return typeof number === "string" ? refuse(number) : Effect.succeed(number)
    }
    case "list":
      return Effect.succeed(values)
    case "map": {
      const bad = values.find((pair) => pair.indexOf("=") < 1)
      return bad === undefined
        ? Effect.succeed(named(values.map((pair) => pair.split(/=(.*)/s, 2) as [string, string])))
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
    const issue = firstIssue(error)
    return new InvalidRequest({ field: typedName(cli, String(issue.path[0] ?? "")), detail: issue.message })
  }))

/** How a field is written on the command line. */
const typedName = (cli: CliSurface, field: string): string => {
  if (field === "" || field === cli.rest) return field
  if (cli.args.includes(field)) return `<${field}>`
  const file = Object.entries(cli.extras ?? {}).find(([, extra]) => extra._tag === "file" && extra.fills === field)
  return file !== undefined && cli.filled?.includes(field) === true ? `--${file[0]}` : `--${flagName(cli, field)}`
}

/** A refusal of the one who did the work, its field as it was typed. */
export const asTyped = (operation: Command, error: InvalidRequest): InvalidRequest =>
  payloadFields(operation.payload()).some(({ name }) => name === error.field)
    ? new InvalidRequest({ field: typedName(operation.cli, error.field), detail: error.detail })
    : error

const wrong = (detail: string) => new InvalidRequest({ field: "", detail })

const inPlainWords = (error: ValidationError.ValidationError): string =>
  HelpDoc.toAnsiText(error.error).replace(/\u001b\[[0-9;]*m/g, "").replace(/\s+/g, " ").trim()
    .replace(/^Expected to find option: '(.+)'$/, "missing $1")

/** What the parser's type asks for; only prompts and file options would use it, and pyro has neither. */
const NO_SERVICES = Context.empty() as Context.Context<FileSystem | Path | Terminal>
