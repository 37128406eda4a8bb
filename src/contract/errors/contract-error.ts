import { type Cause, Schema } from "effect"
import { type SnakeCase, snakeCase, type SnakeFields, snakeFields } from "../text/snake.ts"

export interface Coded<Code extends string> {
  get code(): Code
}

/** A class of `PyroError`. Its instances have a stable `code`, which is the tag in snake_case or one of `More`. */
type ContractErrorClass<Self, Tag extends string, Fields extends Schema.Struct.Fields, More extends string> =
  & Schema.Class<
    Self,
    { readonly _tag: Schema.tag<Tag> } & Fields,
    Schema.Struct.Encoded<{ readonly _tag: Schema.tag<Tag> } & Fields>,
    Schema.Struct.Context<Fields>,
    Schema.Struct.Constructor<Fields>,
    {},
    Cause.YieldableError & Coded<SnakeCase<Tag> | More>
  >
  & { readonly _tag: Tag }

/**
 * The base of every error of the contract. Each class says what happened and what to do next: `message` to people, and `toolSteps` to models. JSON has its fields in snake_case. A class with more than one code names the others as `More`,
 * and lists all as `codes`.
 */
export const ContractError =
  <Self, More extends string = never>() =>
  <Tag extends string, const Fields extends Schema.Struct.Fields>(
    tag: Tag,
    fields: Fields
  ): ContractErrorClass<Self, Tag, SnakeFields<Fields>, More> => {
    const Base = Schema.TaggedError<Self>()(tag, snakeFields(fields))
    const code = snakeCase(tag)
    Object.defineProperty((Base as { readonly prototype: object }).prototype, "code", { get: () => code })
    return Base as unknown as ContractErrorClass<Self, Tag, SnakeFields<Fields>, More>
  }
