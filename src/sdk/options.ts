import { Effect, Schema } from "effect"
import { InvalidRequest } from "../contract/errors.ts"
import type { CliSurface } from "../contract/operation.ts"
import type { Operation, OperationName, OperationOf } from "../contract/operations.ts"
import { snakeCase } from "../contract/snake.ts"
import { callersPath } from "../system/host-path.ts"

/** `memory_mib` -> `memoryMib`. */
type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : S

type EncodedOf<Name extends OperationName> = ReturnType<OperationOf<Name>["payload"]>["Encoded"]

type OrUndefined<Fields> = {
  readonly [K in keyof Fields]: {} extends Pick<Fields, K> ? Fields[K] | undefined : Fields[K]
}

/** What an operation is asked with: its payload, in which what the contract has a default for may be left out, or be undefined. */
export type Options<Name extends OperationName> = OrUndefined<
  { readonly [K in keyof EncodedOf<Name> as K extends string ? CamelCase<K> : never]: EncodedOf<Name>[K] }
>

/**
 * The whole payload for some options; fails with InvalidRequest, before anything is done. Paths of the host are this program's: who does
 * the work may be elsewhere.
 */
export const payloadOf = (row: Operation, options: object): Effect.Effect<unknown, InvalidRequest> => {
  const { hostPaths = [] }: CliSurface = row.cli
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const encoded = Object.fromEntries(given.map(([name, value]) => {
    const field = snakeCase(name)
    return [field, hostPaths.includes(field) && typeof value === "string" ? callersPath(value) : value]
  }))
  return Schema.decodeUnknown(row.payload() as Schema.Schema.AnyNoContext, { onExcessProperty: "error" })(encoded).pipe(
    Effect.mapError((error) => new InvalidRequest({ field: "", detail: error.message }))
  )
}
