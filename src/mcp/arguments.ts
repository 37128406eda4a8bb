import { Result, Schema } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { issuesOf } from "../contract/errors/issue.ts"
import type { Narrowing } from "../contract/rows/modes.ts"
import type { CliSurface, McpArgument, McpSurface, Profile, PureSchema } from "../contract/rows/operation.ts"
import { payloadFields } from "../contract/rows/payload-fields.ts"
import { named } from "../contract/text/names.ts"
import { similarTo } from "../contract/text/similar.ts"
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts"
import type { ToolRow } from "./profile.ts"

/** One argument of a tool. */
export interface Argument extends McpArgument {
  /** Name of the argument. */
  readonly name: string
  /** JSON name of the payload's field. The payload has no field of this name for an argument of the surface alone. */
  readonly field: string
  readonly required: boolean
  /** Names of alternative arguments: exactly one must be given. */
  readonly others?: ReadonlyArray<string>
  /** Value that the server's mode decides. The schema of the tool does not have the argument. */
  readonly fixed?: string | number | boolean | undefined
  readonly schema: JsonSchema
}

/** Grants of a server, which decide about arguments. */
export interface Grants {
  /** A model may ask for a network. */
  readonly network: boolean
}

export const NO_GRANTS: Grants = { network: false }

/** Whether a tool has an argument in a mode. */
const isIn = ({ arguments: listed, fixed = {} }: Narrowing, name: string) =>
  listed.includes(name) || Object.hasOwn(fixed, name)

/** The arguments of a row's tool in a profile, or in a mode, in the order of the schema. */
export const argumentsOf = (
  row: ToolRow,
  profile: Profile,
  grants = NO_GRANTS,
  narrowing?: Narrowing
): ReadonlyArray<Argument> => {
  const payload = jsonSchemaOf(row.payload())
  const mcp: McpSurface = row.mcp
  const listed = mcp.arguments ?? everyField(row)
  return withOthers(
    oneOf(row),
    Object.entries(listed)
      .filter(([field, { name = nameOf(field), network, visibleIn }]) =>
        (narrowing === undefined ? visibleIn?.includes(profile) ?? true : isIn(narrowing, name)) &&
        (network !== true || grants.network)
      )
      // A host path is an argument only if its row declares read or write.
      .filter(([field, { hostPath }]) => hostPath !== undefined || !hostPaths(row).includes(field))
      .map(([field, argument]) => {
        const schema = argument.own !== undefined
          ? { type: OWN_TYPES[argument.own] }
          : payload.properties?.[field] ?? {}
        const description = argument.description ?? schema.description
        const name = argument.name ?? nameOf(field)
        return {
          ...argument,
          field,
          name,
          fixed: narrowing?.fixed?.[name],
          required: argument.needed ?? (argument.default === undefined && payload.required?.includes(field) === true),
          schema: { ...schema, ...(description === undefined || description === "" ? {} : { description }) }
        }
      })
  )
}

/** Alternative fields: a single one of a profile must be given, and one of several. */
const withOthers = (fields: ReadonlyArray<string>, args: ReadonlyArray<Argument>): ReadonlyArray<Argument> => {
  const names = args.filter(({ field }) => fields.includes(field)).map(({ name }) => name)
  return args.map((one) => {
    if (!names.includes(one.name)) return one
    const others = names.filter((name) => name !== one.name)
    if (others.length === 0) return { ...one, required: true }
    const description = `${one.schema.description ?? ""} (or ${others.join(", ")})`.trimStart()
    return { ...one, required: false, others, schema: { ...one.schema, description } }
  })
}

const nameOf = (field: string) => field === "workspace" ? "workspace_id" : field

const OWN_TYPES = { text: "string", boolean: "boolean" } as const

const oneOf = ({ cli }: { readonly cli: CliSurface }) => cli.oneOf?.fields ?? []

const hostPaths = ({ cli }: { readonly cli: CliSurface }) => cli.hostPaths ?? []

/** The arguments of a row without a list of arguments. */
const everyField = (row: ToolRow): Readonly<Record<string, McpArgument>> => {
  const { filled = [] }: CliSurface = row.cli
  const names = payloadFields(row.payload()).map(({ name }) => name)
  return named(names.filter((name) => !filled.includes(name)).map((name) => [name, {}]))
}

export const inputSchemaOf = (args: ReadonlyArray<Argument>): JsonSchema => {
  const shown = args.filter(({ fixed }) => fixed === undefined)
  const required = shown.filter((one) => one.required).map(({ name }) => name)
  return {
    type: "object",
    properties: named(shown.map(({ name, schema }) => [name, schema])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false
  }
}

export type Fields = Readonly<Record<string, unknown>>

/** Given values by field: JSON of the payload, and the tool's own arguments. */
export interface Given {
  readonly fields: Fields
  readonly own: Fields
}

const wrong = (field: string, detail: string) => new InvalidRequest({ field, detail })

/**
 * Arguments that a host adds to every tool's schema for itself and passes on. Gemini CLI adds `wait_for_previous`, and its prompt tells the
 * model to set it.
 */
const HOST_ARGUMENTS: ReadonlySet<string> = new Set(["wait_for_previous"])

/** Arguments of a server that may grant a network. */
const NETWORK_ARGUMENTS: ReadonlySet<string> = new Set(["network_policy", "allow_hosts"])
const NO_NETWORK =
  "this server grants no network; only the user can change this, with the server's option network-ceiling"

const shownNames = (args: ReadonlyArray<Argument>) =>
  args.filter(({ fixed }) => fixed === undefined).map(({ name }) => name)

/** The argument that a model may have meant, else all arguments. */
const insteadOf = (name: string, known: ReadonlyArray<string>): string => {
  if (known.length === 0) return "it has none"
  const words = name.toLowerCase().split("_")
  const [similar = known.find((one) => one.split("_").some((word) => word.length > 2 && words.includes(word)))] =
    similarTo(name.toLowerCase(), known)
  return similar === undefined ? `it has ${known.join(", ")}` : `did you mean ${similar}?`
}

/** Maximum entries of one argument, with those of its entries: judging a wrong list of 100,000 takes the server seconds. */
const MAX_ENTRIES = 1_000

/** Whether a value of JSON has more entries than an argument may have. */
const hasTooMany = (value: unknown): boolean => {
  const left = [value]
  let entries = 0
  // No recursion: a value may be nested thousands of levels deep.
  while (left.length > 0) {
    const one = left.pop()
    if (typeof one !== "object" || one === null) continue
    const within: ReadonlyArray<unknown> = Array.isArray(one) ? one : Object.values(one)
    entries += within.length
    if (entries > MAX_ENTRIES) return true
    left.push(...within)
  }
  return false
}

/** Sorts a model's arguments. `null` means absent, as strict callers write it. */
export const given = (
  args: ReadonlyArray<Argument>,
  raw: Readonly<Record<string, unknown>>
): Result.Result<Given, InvalidRequest> => {
  const fields = named<unknown>([])
  const own = named<unknown>([])
  for (const [name, value] of Object.entries(raw)) {
    const argument = args.find((one) => one.name === name)
    if (argument === undefined) {
      if (HOST_ARGUMENTS.has(name)) continue
      if (NETWORK_ARGUMENTS.has(name)) return Result.fail(wrong(name, NO_NETWORK))
      return Result.fail(wrong(name, `is no argument of this tool; ${insteadOf(name, shownNames(args))}`))
    }
    if (value === null) continue
    if (hasTooMany(value)) return Result.fail(wrong(name, `must have at most ${MAX_ENTRIES} entries in all`))
    const meant = meantBy(argument.schema, value)
    if (argument.fixed !== undefined && meant !== argument.fixed) {
      return Result.fail(wrong(name, `is always ${argument.fixed} in the mode of this server; omit it`))
    }
    if (argument.own === undefined) fields[argument.field] = meant
    else if (typeof meant === OWN_TYPES[argument.own]) own[argument.field] = meant
    else return Result.fail(wrong(name, `must be ${argument.own}`))
  }
  for (const { default: fallback, field, fixed, name, others, required } of args) {
    if (fixed !== undefined) fields[field] = fixed
    if (fallback !== undefined && !(field in fields)) fields[field] = fallback
    if (required && !(field in fields) && !(field in own)) return Result.fail(wrong(name, "is missing"))
    if (others !== undefined) {
      const number = args.filter((one) =>
        (one.name === name || others.includes(one.name)) && one.field in fields
      ).length
      const all = [name, ...others].join(" or ")
      if (number === 0) return Result.fail(wrong(name, `is missing; give ${all}`))
      if (number > 1) return Result.fail(wrong(name, `give only one of ${all}`))
    }
  }
  return Result.succeed({ fields, own })
}

/** Models also write numbers, booleans and a list of one as text, and a text of digits, such as a mode or a cursor, as a number. */
const meantBy = ({ type }: JsonSchema, value: unknown): unknown => {
  if (typeof value === "number") return type === "string" && Number.isSafeInteger(value) ? String(value) : value
  if (typeof value !== "string") return value
  switch (type) {
    case "integer":
      return /^-?\d{1,15}$/.test(value) ? Number(value) : value
    case "number":
      return /^-?\d{1,15}(\.\d{1,9})?$/.test(value) ? Number(value) : value
    case "boolean":
      return value === "true" || (value === "false" ? false : value)
    case "array":
      return [value]
    default:
      return value
  }
}

/** Maximum characters about one argument: a message may contain the value, which the model knows. */
const MAX_MESSAGE_CHARACTERS = 200

const shortened = (message: string) =>
  message.length <= MAX_MESSAGE_CHARACTERS ? message : `${message.slice(0, MAX_MESSAGE_CHARACTERS - 1)}…`

/** The payload, decoded by its Schema. Failures name the argument. */
export const payloadOf = (
  row: ToolRow,
  args: ReadonlyArray<Argument>,
  fields: Readonly<Record<string, unknown>>
): Result.Result<unknown, InvalidRequest> =>
  Schema.decodeUnknownResult(row.payload() as PureSchema, {
    onExcessProperty: "error",
    errors: "all",
    reportInput: true
  })(fields).pipe(Result.mapError((error) => {
    const messages = issuesOf(error).map(({ message, path: [field = "", ...within] }) => {
      const name = args.find((one) => one.field === field)?.name ?? String(field)
      return [[name, ...within.map(String)].join("."), shortened(message)] as const
    })
    const [[name, message] = ["", error.message], ...others] = messages
    return wrong(name, [message, ...others.map((one) => one.join(": "))].join("; "))
  }))
