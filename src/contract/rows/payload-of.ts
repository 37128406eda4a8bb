import type { SnakeCase } from "../text/snake.ts"
import { type OperationName, type OperationOf, operations, type PayloadOf } from "./operations.ts"
import { defaultsOf } from "./payload-fields.ts"

type EncodedOf<Name extends OperationName> = ReturnType<OperationOf<Name>["payload"]>["Encoded"]

/** Fields of a payload that its JSON may leave out. */
type Omissible<Name extends OperationName> = {
  [K in keyof PayloadOf<Name>]: K extends string
    ? SnakeCase<K> extends infer Key extends keyof EncodedOf<Name> ? {} extends Pick<EncodedOf<Name>, Key> ? K : never
    : never
    : never
}[keyof PayloadOf<Name>]

/** A payload in which each field with a default may be absent. */
export type GivenTo<Name extends OperationName> =
  & Omit<PayloadOf<Name>, Omissible<Name>>
  & { readonly [K in keyof PayloadOf<Name> as K extends Omissible<Name> ? K : never]?: PayloadOf<Name>[K] }

/** The defaults of each operation whose payload was made, by its name. */
const known = new Map<string, object>()

const defaultsFor = (name: OperationName) => {
  const found = known.get(name)
  if (found !== undefined) return found
  const made = defaultsOf(operations.find((row) => row.name === name)!.payload())
  known.set(name, made)
  return made
}

/**
 * The payload of a call that pyro's own code makes: the given fields, and the contract's defaults of all others. The types check the given
 * fields; a payload of a caller passes the Schema of the row instead.
 */
export const payloadOf = <Name extends OperationName>(name: Name, given: GivenTo<Name>): PayloadOf<Name> =>
  ({ ...defaultsFor(name), ...given }) as PayloadOf<Name>
