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

/** Names of the encoded side of fields that are named in camelCase. */
export type SnakeKeys<Fields> = { readonly [K in keyof Fields]: K extends string ? SnakeCase<K> : never }

type SnakeStruct<Fields extends Schema.Struct.Fields> = Schema.encodeKeys<Schema.Struct<Fields>, SnakeKeys<Fields>>

/** A struct with fields named in camelCase for TypeScript whose encoded (JSON) side is snake_case. */
export const snakeStruct = <const Fields extends Schema.Struct.Fields>(fields: Fields): SnakeStruct<Fields> =>
  Schema.Struct(fields).pipe(Schema.encodeKeys(snakeKeys(fields)))

/** The same with a tag. */
export const snakeTagged = <const Tag extends string, const Fields extends Schema.Struct.Fields>(
  tag: Tag,
  fields: Fields
): SnakeStruct<{ readonly _tag: Schema.tag<Tag> } & Fields> =>
  snakeStruct({ _tag: Schema.tag(tag), ...fields }) as unknown as SnakeStruct<
    { readonly _tag: Schema.tag<Tag> } & Fields
  >

/** Maps names of fields to their names in JSON. */
export const snakeKeys = <Fields extends Schema.Struct.Fields>(fields: Fields): SnakeKeys<Fields> =>
  named(Object.keys(fields).map((name) => [name, snakeCase(name)])) as unknown as SnakeKeys<Fields>
