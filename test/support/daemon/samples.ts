import { Redacted, Schema, SchemaAST } from "effect"

/** Texts that fields with a pattern accept. */
const PLAIN = [
  "x",
  "1",
  "755",
  "x.test",
  "0".repeat(32),
  "ws-0123456789",
  "sha256:00",
  "2025-01-02T03:04:05.000Z",
  "8080:80",
  "pattern",
  "/x"
]
const NUMBERS = [1, 0, 2, 128, 1024]

const accepts = (ast: SchemaAST.AST) => Schema.is(Schema.make<Schema.Codec<unknown>>(ast))

/**
 * A value of a Schema's TypeScript side with every optional field and one entry in each list. Its texts, and names of fields that a caller
 * chooses, are `text` where the Schema takes it.
 */
export const sampleOf = (schema: Schema.Top, text: string): unknown => valueOf(SchemaAST.toType(schema.ast), text)

const valueOf = (ast: SchemaAST.AST, text: string): unknown => {
  switch (ast._tag) {
    case "String":
      return [text, ...PLAIN].find(accepts(ast))
    case "Number":
      return NUMBERS.find(accepts(ast))
    case "Boolean":
      return true
    case "Null":
      return null
    case "Literal":
      return ast.literal
    case "Union":
      return ast.types.map((one) => valueOf(one, text)).find((value) => value !== null && value !== undefined)
    case "Arrays":
      return [...ast.elements, ...ast.rest.slice(0, 1)].map((one) => valueOf(one, text))
    case "Objects":
      return Object.fromEntries([
        ...ast.propertySignatures.map(({ name, type }) => [name, valueOf(type, text)] as const),
        ...ast.indexSignatures.map(({ type }) => [text, valueOf(type, text)] as const)
      ].filter(([, value]) => value !== undefined))
    case "Unknown":
      return { x: text }
    case "Suspend":
    case "Undefined":
      return undefined
    case "Declaration": {
      const inner = ast.typeParameters.map((one) => valueOf(one, text))
      return [
        ...(inner.length === 0 ? [{ x: text }] : [{ [text]: inner[0] }, { x: inner[0] }]),
        new TextEncoder().encode(text),
        ...(inner.length === 0 ? [] : [Redacted.make(inner[0])])
      ].find(accepts(ast))
    }
    default:
      throw new Error(`no sample of ${ast._tag}`)
  }
}

/** Each text of a value, names of fields too, with its path. */
export const textsIn = (value: unknown, path = ""): ReadonlyArray<readonly [path: string, text: string]> => {
  if (typeof value === "string") return [[path, value]]
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([name, one]) => {
    const at = path === "" ? name : `${path}.${name}`
    return Array.isArray(value) ? textsIn(one, at) : [[`name ${at}`, name] as const, ...textsIn(one, at)]
  })
}

/** A value with a text in the place of each of its texts in turn. Bytes in base64 are no text of a person's. */
export const replaced = (value: unknown, text: string): ReadonlyArray<unknown> => {
  if (typeof value === "string") return [text]
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([name, one]) =>
    replaced(one, text).map((with_) =>
      Array.isArray(value)
        ? value.map((old: unknown, at) => String(at) === name ? with_ : old)
        : { ...value, [name]: with_ }
    )
  )
}
