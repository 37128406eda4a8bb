import { Schema, SchemaAST } from "effect"
import type { PureSchema } from "../rows/operation.ts"
import { isByName } from "../text/names.ts"

/** Parts of the library that its types omit. */
interface Node {
  readonly recur?: (visit: Visit) => SchemaAST.AST
}
type Visit = (ast: SchemaAST.AST) => SchemaAST.AST
const { optionalKey, replaceChecks, replaceEncoding } = SchemaAST as unknown as {
  readonly optionalKey: Visit
  readonly replaceChecks: (ast: SchemaAST.AST, none: undefined) => SchemaAST.AST
  readonly replaceEncoding: (ast: SchemaAST.AST, none: undefined) => SchemaAST.AST
}

/** The TypeScript side, without checks. */
const plain = (ast: SchemaAST.AST, inside: Visit) => {
  const own = replaceChecks(replaceEncoding(ast, undefined), undefined)
  return (own as Node).recur?.(inside) ?? own
}

const asJson: Visit = ({ context }) => context?.isOptional ? optionalKey(SchemaAST.unknown) : SchemaAST.unknown

/** Bytes and secrets have a form of their own. */
const hasOwnForm = (ast: SchemaAST.AST) =>
  SchemaAST.isDeclaration(ast) && ast.encoding !== undefined &&
  !(isByName(ast) && !ast.typeParameters.some(SchemaAST.isDeclaration))

const ofPayload: Visit = (ast) => hasOwnForm(ast) ? ast : isByName(ast) ? asJson(ast) : plain(ast, ofPayload)

const ofAnswer: Visit = (ast) => isByName(ast) ? SchemaAST.toType(ast) : plain(ast, ofAnswer)

const payloads = new WeakSet<object>()

/** Whether a Schema is the form of an operation's payload. */
export const isPayload = (schema: object) => payloads.has(schema)

/**
 * A payload between programs, in its TypeScript form: JSON's names would cost another walk through each value. The daemon checks it
 * before use.
 */
export const payloadForm = (schema: PureSchema): PureSchema => {
  const form = Schema.make<PureSchema>(ofPayload(schema.ast))
  // The library's client makes a payload before it encodes it: another check.
  Object.defineProperty(form, "make", { value: (payload: unknown) => payload })
  payloads.add(form)
  return form
}

/** A result or an event between programs. Its reader trusts the daemon. */
export const answerForm = (schema: PureSchema): PureSchema => Schema.make(ofAnswer(schema.ast))
