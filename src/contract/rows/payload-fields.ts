import { Option, Schema, SchemaAST } from "effect"
import { named } from "../text/names.ts"
import type { PureSchema } from "./operation.ts"

/** How a field's value is written in words. */
export type FieldKind =
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
  const encoded = SchemaAST.encodedBoundAST(payload.ast)
  return SchemaAST.isTypeLiteral(encoded)
    ? encoded.propertySignatures.map((field) => ({
      name: String(field.name),
      kind: kindOf(field.type),
      required: !field.isOptional,
      description: descriptionOf(field.type)
    }))
    : []
}

/** Values of which any required field takes one: a text, a number, the text of a number, a list. */
const samples: ReadonlyArray<unknown> = ["x", 1, "1", ["x"]]

/** What each field that may be left out is then, as JSON; fields without such a value are missing. */
export const payloadDefaults = (payload: PureSchema): Readonly<Record<string, unknown>> => {
  const encoded = SchemaAST.encodedBoundAST(payload.ast)
  const required = SchemaAST.isTypeLiteral(encoded)
    ? encoded.propertySignatures.filter((field) => !field.isOptional)
    : []
  const valueOf = (type: SchemaAST.AST) => {
    const kind = kindOf(type)
    return kind._tag === "choice" ? kind.choices[0] : samples.find(Schema.is(Schema.make(type)))
  }
  const least = named(required.map(({ name, type }) => [String(name), valueOf(type)]))
  const full = Schema.encodeUnknownSync(payload)(Schema.decodeUnknownSync(payload)(least)) as Record<string, unknown>
  return named(Object.entries(full).filter(([name]) => !(name in least)))
}

const kindOf = (ast: SchemaAST.AST): FieldKind => {
  const type = bare(ast)
  switch (type._tag) {
    case "NumberKeyword":
      return { _tag: isInteger(ast) ? "integer" : "number" }
    case "BooleanKeyword":
      return { _tag: "boolean" }
    case "TupleType":
      return { _tag: "list" }
    case "TypeLiteral":
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

/** The type behind refinements. */
const bare = (ast: SchemaAST.AST): SchemaAST.AST => SchemaAST.isRefinement(ast) ? bare(ast.from) : ast

const isInteger = (ast: SchemaAST.AST): boolean =>
  SchemaAST.isRefinement(ast) && (
    Option.exists(SchemaAST.getJSONSchemaAnnotation(ast), (schema) => "type" in schema && schema.type === "integer") ||
    isInteger(ast.from)
  )

const descriptionOf = (ast: SchemaAST.AST): string =>
  Option.getOrElse(
    SchemaAST.getDescriptionAnnotation(ast),
    () => SchemaAST.isRefinement(ast) ? descriptionOf(ast.from) : ""
  )
