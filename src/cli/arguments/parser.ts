import { Effect, Schema } from "effect"
import { InvalidRequest, ofField } from "../../contract/errors/errors.ts"
import { halfCharacterIn } from "../../contract/errors/half-character.ts"
import { firstIssue } from "../../contract/errors/issue.ts"
import { flagName } from "../../contract/rows/next-steps.ts"
import type { CliSurface, PureSchema } from "../../contract/rows/operation.ts"
import { type PayloadField, payloadFields } from "../../contract/rows/payload-fields.ts"
import { named } from "../../contract/text/names.ts"
import { numberOf } from "../../contract/text/units.ts"
import type { Command } from "../rows/rows.ts"
import { shortPath } from "./aliases.ts"
import { closest } from "./closest.ts"
import { unexpectedWord, wrongOption } from "./corrections.ts"
import { type Flag, flagsOf, unitOf } from "./flags.ts"
import { type BadWord, type Defaults, positional, readWords } from "./operands.ts"

/** A parsed command line: the payload's JSON side, and the flags of the CLI itself. */
export interface Typed {
  readonly raw: Readonly<Record<string, unknown>>
  /** Values of the flags without a field; a switch has the value `true`. */
  readonly extras: Readonly<Record<string, string>>
  /** Values of the repeatable flags without a field. */
  readonly lists?: Readonly<Record<string, ReadonlyArray<string>>>
  readonly json: boolean
  readonly quiet: boolean
  /** Names of flags, as `CliSurface` has them, where the command line has another name than the usual one. */
  readonly flags?: CliSurface["flags"]
}

/** Parses the words of one operation before `--`. The error has the correction. */
export const parse = (
  operation: Command,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined,
  defaults: Defaults = {}
): Effect.Effect<Typed, InvalidRequest> => {
  const cli: CliSurface = operation.cli
  const flags = flagsOf(operation)
  const greedy = (cli.greedy ?? []).map((field) => flagName(cli, field))
  const refused = (bad: BadWord) => {
    switch (bad._tag) {
      case "NoValue":
        return wrong(`${bad.flag} needs a value`)
      case "GivenTwice":
        return wrong(`${bad.flag} is given twice`)
      case "UnknownFlag":
        return wrong(wrongOption(operation, bad, { flags, rest, defaults }))
    }
  }

  return Effect.gen(function*() {
    const read = readWords(words, flags, greedy)
    if ("_tag" in read) return yield* refused(read)
    const raw = named<unknown>([])
    const extras = named<string>([])
    const lists = named<ReadonlyArray<string>>([])
    const isGiven = (field: string) => read.values.has(flagName(cli, field))
    for (const flag of flags) {
      const { field, name, repeated } = flag
      const given = read.values.get(name)
      if (given === undefined && isNeeded(cli, flag, isGiven)) return yield* isMissing(operation, `--${name}`, isGiven)
      if (given?.[0] === undefined) continue
      if (field === undefined) {
        if (repeated) lists[name] = given
        else extras[name] = given[0]
      } else raw[field.name] = yield* fromWords(read.typedNames[field.name] ?? name, field, given)
    }
    // Words after -- that are not a guest's command are operands, even with dashes.
    const operands = [...read.operands, ...(cli.rest === undefined ? rest ?? [] : [])]
    giveBack(cli, raw, operands)
    const { missing, others, values } = positional(operation, operands, raw, defaults)
    if (missing !== undefined) {
      const instead = cli.unless?.[missing] ?? cli.neededWithout?.[missing]?.[0]
      const alternative = instead === undefined ? "" : `; or give --${flagName(cli, instead)}`
      return yield* isMissing(operation, missing, isGiven, alternative)
    }
    if (others.length > 0) {
      return yield* wrong(unexpectedWord(operation, operands.slice(0, operands.length - others.length), others))
    }
    Object.assign(raw, values)
    if (cli.rest !== undefined && rest !== undefined) raw[cli.rest] = rest
    return {
      raw,
      extras,
      ...(Object.keys(lists).length === 0 ? {} : { lists }),
      json: extras["json"] !== undefined,
      quiet: extras["quiet"] !== undefined,
      ...(Object.keys(read.typedNames).length === 0 ? {} : { flags: read.typedNames })
    }
  })
}

/** Uses the last value of a greedy flag as the missing argument: `env build --packages git web`. */
const giveBack = (cli: CliSurface, raw: Record<string, unknown>, operands: Array<string>) => {
  for (const field of cli.greedy ?? []) {
    const values = (raw[field] ?? []) as ReadonlyArray<string>
    if (operands.length >= cli.args.length || values.length < 2) continue
    operands.push(values.at(-1)!)
    raw[field] = values.slice(0, -1)
  }
}

/** A field's JSON value from its words. */
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
        // Without a name, the word may be the value of a secret.
        : refuse(field.name === "secrets" ? "must be NAME=VALUE" : `"${bad}" must be NAME=VALUE`)
    }
    default:
      return Effect.succeed(first)
  }
}

/** Decodes the typed fields with the operation's Schema. Errors name the flag. */
export const decode = <S extends PureSchema>(
  cli: CliSurface,
  payload: S,
  raw: Readonly<Record<string, unknown>>
): Effect.Effect<S["Type"], InvalidRequest> =>
  Schema.decodeUnknownEffect(payload, { onExcessProperty: "error", reportInput: true })(raw).pipe(
    Effect.mapError((error) => {
      const issue = firstIssue(error)
      return new InvalidRequest({
        field: typedName(cli, String(issue.path[0] ?? "")),
        detail: choiceText(issue.message)
      })
    }),
    Effect.tap(() => {
      const refused = halfCharacterIn(raw, (field) => typedName(cli, field))
      return refused === undefined ? Effect.void : Effect.fail(refused)
    })
  )

/** A Schema's message about a value that is none of its choices, for people. Other messages stay. */
const choiceText = (message: string): string => {
  const [, expected = "", actual = ""] = /^Expected ("[^"]+"(?: or "[^"]+")+), actual "(.*)"$/s.exec(message) ?? []
  const choices = Array.from(expected.matchAll(/"([^"]+)"/g), ([, choice]) => choice!)
  if (choices.length === 0) return message
  const near = closest(actual, choices, () => false)
  return `"${actual}" is none of ${choices.join(", ")}${near === undefined ? "" : `. Did you mean "${near}"?`}`
}

/** The surface of a command, with the names of flags as they were typed, for errors. */
export const surfaceAsTyped = (cli: CliSurface, { flags }: Typed): CliSurface =>
  flags === undefined ? cli : { ...cli, flags: { ...cli.flags, ...flags } }

/** A field's name on the command line. */
const typedName = (cli: CliSurface, field: string): string => {
  if (field === "" || field === cli.rest) return field
  if (cli.args.includes(field)) return `<${field}>`
  const filling = Object.entries(cli.extras ?? {}).filter(([, extra]) =>
    ((extra._tag === "file" || extra._tag === "secret") && extra.fills === field) || extra._tag === field
  )
  return filling.length > 0 && cli.filled?.includes(field) === true
    ? filling.map(([name]) => `--${name}`).join(" or ")
    : `--${flagName(cli, field)}`
}

/** An error of the operation with its field's name on the command line. */
export const asTyped = ({ cli, payload }: Pick<Command, "cli" | "payload">, error: InvalidRequest): InvalidRequest =>
  payloadFields(payload()).some(({ name }) => name === error.field)
    ? ofField(error, typedName(cli, error.field))
    : error

const wrong = (detail: string) => new InvalidRequest({ field: "", detail })

/** Commands that list what an argument names. */
const LISTS: ReadonlyArray<readonly [arguments: ReadonlyArray<string>, list: string]> = [
  [["workspace", "workspaces", "from"], "pyro list"],
  [["exec_id"], "pyro logs WORKSPACE"],
  [["shell_id"], "pyro shell list WORKSPACE"],
  [["environment", "environments"], "pyro env list"]
]

type IsGiven = (field: string) => boolean

/** The given options without which an argument would be needed. Undefined if it has none such. */
const sparing = ({ neededWithout, unless }: CliSurface, field: string, isGiven: IsGiven) => {
  const one = unless?.[field]
  const fields = neededWithout?.[field] ?? (one === undefined ? undefined : [one])
  return fields?.filter(isGiven)
}

const isNeeded = (cli: CliSurface, { field, required }: Flag, isGiven: IsGiven) =>
  required || field !== undefined && sparing(cli, field.name, isGiven)?.length === 0

/** The error of an argument that is missing: how the command is typed, and where a person finds the value. */
const isMissing = (operation: Command, field: string, isGiven: IsGiven, alternative = "") => {
  const cli: CliSurface = operation.cli
  const fields = payloadFields(operation.payload())
  const kind = fields.find(({ name }) => name === field)?.kind
  const needed = cli.args.filter((name) => {
    const spared = sparing(cli, name, isGiven)
    return name === field || spared?.length === 0 ||
      spared === undefined && fields.some((one) => one.name === name && one.required)
  })
  const instead = new Set(cli.args.flatMap((name) => sparing(cli, name, isGiven) ?? []))
  const options = flagsOf(operation).filter((flag) => isNeeded(cli, flag, isGiven))
  const usage = [
    "pyro",
    ...shortPath(cli.path),
    ...needed.map((name) => `<${name}>`),
    ...[...instead].map((name) => `--${flagName(cli, name)}`),
    ...options.map(({ name }) => `--${name} …`)
  ].join(" ")
  const list = LISTS.find(([names]) => names.includes(field))?.[1]
  return new InvalidRequest({
    field,
    detail: [
      `missing${alternative}`,
      `Usage: ${usage}`,
      ...(kind?._tag === "choice" ? [`One of: ${kind.choices.join(", ")}`] : []),
      ...(list === undefined ? [] : [`List them: ${list}`])
    ].join(". ")
  })
}
