import { Effect, Schema } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { halfCharacterIn } from "../../contract/errors/half-character.ts"
import { invalidRequest } from "../../contract/errors/issue.ts"
import { filledFromVariable } from "../../contract/rows/from-variable.ts"
import type { CliSurface, PureSchema } from "../../contract/rows/operation.ts"
import type { Operation, OperationName, OperationOf } from "../../contract/rows/operations.ts"
import { parseArchive, withAbsolutePath } from "../../contract/text/image-archive.ts"
import { named } from "../../contract/text/names.ts"
import { snakeCase } from "../../contract/text/snake.ts"
import { callersPath } from "../../system/files/host-path.ts"
import { settingNow } from "../../system/settings/config.ts"

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : S

type EncodedOf<Name extends OperationName> = ReturnType<OperationOf<Name>["payload"]>["Encoded"]

type OrUndefined<Fields> = {
  readonly [K in keyof Fields]: {} extends Pick<Fields, K> ? Fields[K] | undefined : Fields[K]
}

/** Options of an operation: its payload, in which a field with a default may be absent or undefined. */
export type Options<Name extends OperationName> = OrUndefined<
  { readonly [K in keyof EncodedOf<Name> as K extends string ? CamelCase<K> : never]: EncodedOf<Name>[K] }
>

/** `memory_mib` -> `memoryMib`. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Beginning of Schema's message about an unknown field, before the list of known fields. */
const UNEXPECTED = "is unexpected"

/** Whether a value of a caller without types has options. */
export const isOptions = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The refusal of a value in the place of options. */
export const noOptions = (field = "options") => new InvalidRequest({ field, detail: "must be an object" })

/**
 * The whole payload for some options. Fails with InvalidRequest before any work. Relative host paths are resolved against this
 * program's directory, because the worker may have another one.
 */
export const payloadOf = (row: Operation, options: object): Effect.Effect<unknown, InvalidRequest> => {
  if (!isOptions(options)) return Effect.fail(noOptions())
  const { hostPaths = [], imageSources = [] }: CliSurface = row.cli
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const encoded = named(given.map(([name, value]) => {
    const field = snakeCase(name)
    if (typeof value !== "string") return [field, value]
    return imageSources.includes(field) && parseArchive(value) !== undefined
      ? [field, withAbsolutePath(value, callersPath)]
      : [field, hostPaths.includes(field) ? callersPath(value) : value]
  }))
  const filled = filledFromVariable(row.cli, encoded, settingNow)
  return Schema.decodeUnknownEffect(row.payload() as PureSchema, {
    onExcessProperty: "error",
    reportInput: true
  })(filled).pipe(
    Effect.mapError((error) => {
      const refused = invalidRequest(error)
      const { detail, field } = refused
      // Unknown options have no JSON name, so the error repeats them as written.
      return detail.startsWith(UNEXPECTED)
        ? new InvalidRequest({ field: camelCase(field), detail: detail.replace(/"\w+"/g, camelCase) })
        : refused
    }),
    Effect.flatMap((payload) => {
      const refused = halfCharacterIn(filled)
      return refused === undefined ? Effect.succeed(payload) : Effect.fail(refused)
    })
  )
}
