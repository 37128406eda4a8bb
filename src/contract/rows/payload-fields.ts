import { Schema, SchemaAST } from "effect"
import { named } from "../text/names.ts"
import { snakeCase } from "../text/snake.ts"
import type { PureSchema } from "./operation.ts"

/** Kind of a field's value. */
type FieldKind =
  | { readonly _tag: "text" | "integer" | "number" | "boolean" | "list" | "map" }
  | { readonly _tag: "choice"; readonly choices: ReadonlyArray<string> }

/** One field of a payload as its JSON has it. */
export interface PayloadField {
  readonly name: string
  readonly kind: FieldKind
  readonly required: boolean
  readonly description: string
}

/** The fields of a payload's JSON side, in the order of its Schema. */
export const payloadFields = (payload: PureSchema): ReadonlyArray<PayloadField> => {
  const encoded = SchemaAST.toEncoded(payload.ast)
  return SchemaAST.isObjects(encoded)
    ? encoded.propertySignatures.map(({ name, type }) => ({
      name: String(name),
      kind: kindOf(type),
      required: !SchemaAST.isOptional(type),
      description: SchemaAST.resolveDescription(type) ?? ""
    }))
    : []
}

/** Samples. Every required field accepts one of them. */
const samples: ReadonlyArray<unknown> = ["x", 1, "1", ["x"], "755", "0".repeat(32), [{ command: "x" }]]

/** The least payload, as JSON. */
const leastOf = (payload: PureSchema): Readonly<Record<string, unknown>> => {
  const encoded = SchemaAST.toEncoded(payload.ast)
  const required = SchemaAST.isObjects(encoded)
    ? encoded.propertySignatures.filter(({ type }) => !SchemaAST.isOptional(type))
    : []
  const valueOf = (type: SchemaAST.AST) => {
    const kind = kindOf(type)
    return kind._tag === "choice" ? kind.choices[0] : samples.find(Schema.is(Schema.make(type)))
  }
  return named(required.map(({ name, type }) => [String(name), valueOf(type)]))
}

const without = (fields: unknown, isLeftOut: (name: string) => boolean) =>
  named(Object.entries(fields as object).filter(([name]) => !isLeftOut(name)) as Array<[string, unknown]>)

/** Defaults of the optional fields, as JSON. Fields without a default are missing. */
export const payloadDefaults = (payload: PureSchema): Readonly<Record<string, unknown>> => {
  const least = leastOf(payload)
  const full = Schema.encodeUnknownSync(payload)(Schema.decodeUnknownSync(payload)(least))
  return without(full, (name) => name in least)
}

/** The same by the names of TypeScript. */
export const defaultsOf = (payload: PureSchema): Readonly<Record<string, unknown>> => {
  const least = leastOf(payload)
  return without(Schema.decodeUnknownSync(payload)(least), (name) => snakeCase(name) in least)
}

const kindOf = (type: SchemaAST.AST): FieldKind => {
  switch (type._tag) {
    case "Number":
      return { _tag: isInteger(type) ? "integer" : "number" }
    case "Boolean":
      return { _tag: "boolean" }
    case "Arrays":
      return { _tag: "list" }
    case "Objects":
    case "Declaration":
      return { _tag: "map" }
    case "Union": {
      const choices = type.types.flatMap((one) => SchemaAST.isLiteral(one) ? [String(one.literal)] : [])
      return choices.length === type.types.length ? { _tag: "choice", choices } : { _tag: "text" }
    }
    default:
      return { _tag: "text" }
  }
}

/** Whether a number must be whole. */
export const isInteger = ({ checks }: SchemaAST.AST): boolean =>
  checks?.some(({ annotations }) =>
    (annotations?.["representation"] as { readonly id?: string } | undefined)?.id === "effect/schema/isInt"
  ) ?? false
