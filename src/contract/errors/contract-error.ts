import { type Cause, Schema } from "effect"
import { type SnakeCase, snakeCase, type SnakeKeys, snakeKeys } from "../text/snake.ts"

export interface Coded<Code extends string> {
  get code(): Code
}

/** A class of `PyroError`. Its instances have a stable `code`, which is the tag in snake_case or one of `More`. */
type ContractErrorClass<Self, Tag extends string, Fields extends Schema.Struct.Fields, More extends string> =
  Schema.Class<
    Self,
    Schema.TaggedStruct<Tag, Fields>,
    Cause.YieldableError & Coded<SnakeCase<Tag> | More>
  >

/**
 * The base of every error of the contract. Each class says what happened and what to do next: `message` to people, and `toolSteps` to models. A class with more than one code names the others as `More`,
 * and lists all as `codes`.
 */
export const ContractError =
  <Self, More extends string = never>() =>
  <Tag extends string, const Fields extends Schema.Struct.Fields>(
    tag: Tag,
    fields: Fields
  ): ContractErrorClass<Self, Tag, Fields, More> => {
    const Base = Schema.TaggedError<Self>()(tag, fields)
    Object.defineProperty((Base as unknown as { readonly prototype: object }).prototype, "code", {
      get: () => snakeCase(tag)
    })
    return Base as unknown as ContractErrorClass<Self, Tag, Fields, More>
  }

type WithFields = Schema.Constraint & { readonly fields: Schema.Struct.Fields }

/** One of some classes of errors. JSON has their fields in snake_case. */
export const oneOfErrors = <const Classes extends ReadonlyArray<WithFields>>(
  classes: Classes
): Schema.Union<{ readonly [I in keyof Classes]: Schema.encodeKeys<Classes[I], SnakeKeys<Classes[I]["fields"]>> }> =>
  Schema.Union(classes.map((one) => Schema.encodeKeys(snakeKeys(one.fields))(one))) as never
