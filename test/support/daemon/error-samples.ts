import { type Schema, SchemaAST } from "effect"
import { PyroError } from "../../../src/contract/errors/errors.ts"
import { sampleOf } from "./samples.ts"

/** Values of fields that choose a text: steps of a microVM, states, programs. */
const CHOOSING: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  command: ["/bin/sh", "ls", "make", "npm test", "mkae"],
  step: ["attach", "exec", "inspect", "start", "stop", "length", "user", "cwd", "dockerfile"],
  state: ["running", "stopped", "failed", "paused", "creating", "deleting"],
  where: ["memory store", "workspace disk", "cache"]
}

/** Ids as payloads take them. */
const IDS = { execId: "0".repeat(32), shellId: "0".repeat(32) }

type ErrorClass = { new(fields: object): PyroError; readonly fields: Schema.Struct.Fields }

const idsOf = (names: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(IDS).filter(([name]) => names.includes(name)))

/** Errors of a class: with each optional field and without, and with each value of the fields that choose. */
const samplesOf = (make: ErrorClass): ReadonlyArray<PyroError> => {
  const own = Object.entries(make.fields).filter(([name]) => name !== "_tag" && name !== "next")
  const needed = own.filter(([, { ast }]) => !SchemaAST.isOptional(ast))
  const whole = (some: typeof own) =>
    Object.fromEntries(some.map(([name, field]) => [name, sampleOf(field as Schema.Top, "x")]))
  const chosen = own.flatMap(([name, { ast }]) => {
    const literals = SchemaAST.isUnion(ast)
      ? ast.types.flatMap((one) => SchemaAST.isLiteral(one) ? [one.literal] : [])
      : []
    return [...CHOOSING[name] ?? [], ...literals].map((value) => ({ [name]: value }))
  })
  return [needed, own].flatMap((some) =>
    [{}, ...chosen].map((one) => new make({ ...whole(some), ...idsOf(some.map(([name]) => name)), ...one }))
  )
}

/** Every class of error, with each of the values that decide about its words. */
export const errorSamples: ReadonlyArray<PyroError> = PyroError.members.flatMap(({ to }) =>
  samplesOf(to as unknown as ErrorClass)
)
