import { Schema } from "effect"
import type { PureSchema } from "../contract/rows/operation.ts"
import { named } from "../contract/text/names.ts"
import { isFields } from "./handshake/request-shape.ts"

/** The part of JSON Schema that pyro writes. */
export interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: boolean | JsonSchema
  readonly anyOf?: ReadonlyArray<JsonSchema>
}

type Raw = { readonly [key: string]: unknown }

/** Bounds above this are left out of schemas. */
const FAR = 1_000_000

/** Keywords that are dropped: the server's errors explain them better. */
const NOISE = new Set(["pattern", "format", "contentEncoding", "maxItems"])

/** A Schema's JSON side. No Schema has a name, so there are no references: hosts read `$ref` badly, and models too. */
export const jsonSchemaOf = (schema: PureSchema): JsonSchema => {
  const plain = ({ maximum, minimum, ...value }: Raw): JsonSchema => {
    // An empty Struct has no type, which no client takes.
    if (value["not"] !== undefined) return EMPTY
    const meant = withoutStandIns(value)
    if (meant !== undefined) return plain(meant)
    const entries = Object.entries({ ...value, minimum, maximum }).flatMap(([key, one]): ReadonlyArray<
      readonly [string, unknown]
    > => {
      if (NOISE.has(key) || one === undefined) return []
      switch (key) {
        case "properties": {
          const properties = Object.entries(one as Readonly<Record<string, Raw>>)
          return properties.length === 0 ? [] : [[key, named(properties.map(([name, of]) => [name, plain(of)]))]]
        }
        case "required":
          return (one as ReadonlyArray<string>).length === 0 ? [] : [[key, one]]
        case "items":
        case "additionalProperties":
          return [[key, typeof one === "object" ? plain(one as Raw) : one]]
        case "anyOf":
          return [[key, (one as ReadonlyArray<Raw>).map(plain)]]
        case "maximum":
          return Number(one) >= FAR ? [] : [[key, one]]
        case "minimum":
          return Number(one) <= 1 ? [] : [[key, one]]
        // The descriptions of plain types have no information.
        case "description":
          return /^an? [a-z]+$/.test(String(one)) ? [] : [[key, one]]
        default:
          return [[key, one]]
      }
    })
    return named(entries)
  }
  return plain(Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" }).schema)
}

/** Drops the texts of JSON for NaN and infinity, which pyro never has, and the library's text for bytes, beside pyro's own. */
const withoutStandIns = ({ anyOf, ...own }: Raw): Raw | undefined => {
  if (!Array.isArray(anyOf)) return undefined
  const left = (anyOf as ReadonlyArray<Raw>).filter(({ enum: texts, format }) =>
    format !== "byte" && !(Array.isArray(texts) && texts.includes("NaN"))
  )
  return left.length === anyOf.length ? undefined : left.length === 1 ? { ...left[0], ...own } : { anyOf: left, ...own }
}

const EMPTY: JsonSchema = { type: "object", properties: {}, additionalProperties: false }

/** Longest list of choices that a result's schema repeats. */
const MAX_CHOICES = 3

/**
 * The output schema of a tool. Every field is present; an absent value is null. The schema has no descriptions, and `required` only at the
 * top: every conversation pays for each character.
 */
export const resultSchemaOf = (schema: JsonSchema, omits: ReadonlySet<string>): JsonSchema => {
  const described = describeType(schema, omits)
  return { ...described, required: Object.keys(described.properties ?? {}) }
}

/** The field of steps, which the messages of a tool have as calls of tools. */
export const STEPS = "next"

/** The fields of a warning. */
const TOLD = `message,${STEPS}`

const describeType = (schema: JsonSchema, omits: ReadonlySet<string>): JsonSchema => {
  const { description: _, ...described } = schema
  const { enum: choices, ...rest } = described
  if (choices !== undefined) return choices.length > MAX_CHOICES ? rest : described
  if (rest.anyOf !== undefined) return { anyOf: rest.anyOf.map((one) => describeType(one, omits)) }
  if (rest.items !== undefined) return { ...rest, items: describeType(rest.items, omits) }
  if (rest.properties === undefined) return rest.type === "object" ? { type: "object" } : rest
  const required = new Set(rest.required)
  const kept = Object.entries(rest.properties).filter(([name]) => !omits.has(name))
  // A warning without its steps is its message: an object around it would cost each conversation.
  if (omits.has(STEPS) && Object.keys(rest.properties).join() === TOLD) return { type: "string" }
  return {
    type: "object",
    properties: named(kept.map(([name, of]) => {
      const described = describeType(of, omits)
      return [name, required.has(name) ? described : { anyOf: [described, { type: "null" }] }]
    }))
  }
}

/** A result's JSON as `resultSchemaOf` describes it: `null` for missing fields, and no omitted field. */
export const completed = (value: unknown, schema: JsonSchema): unknown => {
  if (value === undefined || value === null) return null
  const of = schema.anyOf?.length === 2 && schema.anyOf[1]?.type === "null" ? schema.anyOf[0]! : schema
  if (Array.isArray(value)) return of.items === undefined ? value : value.map((one) => completed(one, of.items!))
  if (of.type === "string" && isFields(value)) return value["message"]
  if (of.properties === undefined) return value
  return named(
    Object.entries(of.properties).map(([name, one]) => [name, completed((value as Raw)[name], one)])
  )
}
