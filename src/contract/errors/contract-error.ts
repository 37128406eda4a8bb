import { type Cause, Schema } from "effect"
import { optional } from "../text/fields.ts"
import { type SnakeCase, snakeCase, type SnakeKeys, snakeKeys } from "../text/snake.ts"
import { call, neutralText, NextStep } from "./next-step.ts"

/** An accessor by name: written as a type literal, older compilers read a property, which no getter overrides. */
export interface Coded<Code extends string> {
  get code(): Code
}

/** What an error says beside the fields of its class. */
export interface Texts {
  /** What happened, for people, models and programs. It names no command and no option. */
  readonly fact: string
  /** What to do next, the best first. Empty if nothing helps, or if the fact says it. */
  readonly next: ReadonlyArray<NextStep>
}

const nextField = { next: optional(Schema.Array(NextStep)) }

/** The fields of a class as they are made and sent: its own, and the steps. */
type Sent<Fields extends Schema.Struct.Fields> = Fields & typeof nextField

/** A class of `PyroError`. Its instances have a stable `code`, which is the tag in snake_case or one of `More`. */
type ContractErrorClass<Self, Tag extends string, Fields extends Schema.Struct.Fields, More extends string> =
  Schema.Class<
    Self,
    Schema.TaggedStruct<Tag, Sent<Fields>>,
    Cause.YieldableError & Texts & Coded<SnakeCase<Tag> | More>
  >

/** A value, or the function that makes it from the error's fields. */
type From<Fields extends Schema.Struct.Fields, A> = A | ((error: Schema.Struct.Type<Fields>) => A)

/** What the errors of a class say, from their fields. */
interface Sentences<Fields extends Schema.Struct.Fields> {
  /** What happened, with the values. */
  readonly fact: From<Fields, string>
  /** What to do next, unless the one who makes the error knows better. @default nothing helps, or the fact says it */
  readonly next?: From<Fields, ReadonlyArray<NextStep>>
}

/** Fields that would hide a property of `Error`: a program reads `error.name` as the name of the class. */
type NoneOfError = { readonly [Name in "name" | "message" | "stack" | "cause" | "next"]?: never }

/** The base of every error of the contract. A class with more than one code names the others as `More`, and lists all as `codes`. */
export const ContractError =
  <Self, More extends string = never>() =>
  <Tag extends string, const Fields extends Schema.Struct.Fields & NoneOfError>(
    tag: Tag,
    fields: Fields,
    { fact, next = [] }: Sentences<Fields>
  ): ContractErrorClass<Self, Tag, Fields, More> => {
    type Instance = Schema.Struct.Type<Fields> & Texts
    const from = <A>(value: From<Fields, A>, error: object): A =>
      typeof value === "function" ? (value as (error: object) => A)(error) : value
    const Plain = Schema.TaggedError<Self>()(tag, { ...fields, ...nextField }) as unknown as new(
      ...given: ReadonlyArray<unknown>
    ) => { next?: ReadonlyArray<NextStep> }
    class Base extends Plain {
      constructor(...given: ReadonlyArray<unknown>) {
        super(...given)
        // Its maker may know better, and a received error has the steps of the process that made it.
        if (this.next === undefined) this.next = from(next, this)
      }
    }
    Object.defineProperties(Base.prototype, {
      code: { get: () => snakeCase(tag) },
      fact: {
        get(this: Instance) {
          return from(fact, this)
        }
      },
      message: {
        get(this: Instance) {
          return neutralText(this.fact, this.next)
        }
      }
    })
    return Base as unknown as ContractErrorClass<Self, Tag, Fields, More>
  }

type WithFields = Schema.Constraint & { readonly fields: Schema.Struct.Fields }

/** One of some classes of errors. JSON has their fields in snake_case. */
export const oneOfErrors = <const Classes extends ReadonlyArray<WithFields>>(
  classes: Classes
): Schema.Union<{ readonly [I in keyof Classes]: Schema.encodeKeys<Classes[I], SnakeKeys<Classes[I]["fields"]>> }> =>
  Schema.Union(classes.map((one) => Schema.encodeKeys(snakeKeys(one.fields))(one))) as never

/** After a command that broke the guest: the smallest loss. */
export const undo = (label = "If a command broke the guest, undo it"): NextStep => call(label, "workspace.rewind")

/** After a microVM that may have ended. */
export const startFirst: NextStep = call("Start a failed workspace first", "workspace.start")
