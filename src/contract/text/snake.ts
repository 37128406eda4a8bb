import { Schema } from "effect"
import { named } from "./names.ts"

/** `memoryMib` -> `memory_mib`, `EnvironmentUnknown` -> `environment_unknown`. */
export type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? `${Lowercase<Head>}${SnakeTail<Tail>}`
  : S
type SnakeTail<S extends string> = S extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeTail<Tail>}`
  : S

export const snakeCase = <S extends string>(name: S): SnakeCase<S> =>
  name.replace(/[A-Z]/g, (capital, at: number) => (at === 0 ? "" : "_") + capital.toLowerCase()) as SnakeCase<S>

type SnakeField<K extends string, F> = F extends Schema.PropertySignature<
  infer TypeToken,
  infer Type,
  PropertyKey,
  infer EncodedToken,
  infer Encoded,
  infer HasDefault,
  infer R
> ? Schema.PropertySignature<TypeToken, Type, SnakeCase<K>, EncodedToken, Encoded, HasDefault, R>
  : F extends Schema.Top ? Schema.PropertySignature<
      ":",
      Schema.Schema.Type<F>,
      SnakeCase<K>,
      ":",
      F["Encoded"],
      false,
      Schema.Schema.Context<F>
    >
  : never

export type SnakeFields<Fields extends Schema.Struct.Fields> = {
  readonly [K in keyof Fields]: K extends SnakeCase<K & string> ? Fields[K] : SnakeField<K & string, Fields[K]>
}

/** Fields named in camelCase for TypeScript whose encoded (JSON) side is snake_case. */
export const snakeFields = <const Fields extends Schema.Struct.Fields>(fields: Fields): SnakeFields<Fields> => {
  const fieldsByName = named<Schema.Struct.Field>([])
  for (const [name, field] of Object.entries(fields)) {
    const key = snakeCase(name)
    const signature = Schema.isPropertySignature(field) ? field : Schema.propertySignature(field as Schema.Top)
    fieldsByName[name] = key === name
      ? field
      : Schema.fromKey(signature as Schema.PropertySignature<":", unknown, string, ":", unknown>, key)
  }
  return fieldsByName as SnakeFields<Fields>
}
