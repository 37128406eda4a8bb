import { type Cause, Schema } from "effect"
import { type SnakeCase, snakeCase, type SnakeKeys, snakeKeys } from "../text/snake.ts"

export interface Coded<Code extends string> {
  get code(): Code
}

/** Texts of an error. */
export interface Texts {
  /** What happened, for people, models and programs. */
  readonly fact: string
  /** What a person does next, a part of the message. Undefined if the fact says it. */
  readonly hint: string | undefined
  /** What a model does next; `all`: it may reach workspaces of other projects. */
  readonly toolSteps: (all: boolean) => ToolSteps
}

/** A class of `PyroError`. Its instances have a stable `code`, which is the tag in snake_case or one of `More`. */
type ContractErrorClass<Self, Tag extends string, Fields extends Schema.Struct.Fields, More extends string> =
  Schema.Class<
    Self,
    Schema.TaggedStruct<Tag, Fields>,
    Cause.YieldableError & Texts & Coded<SnakeCase<Tag> | More>
  >

/** A text, or the function that makes it from the error's fields. */
type Text<Fields extends Schema.Struct.Fields> = string | ((error: Schema.Struct.Type<Fields>) => string)

/** The texts of a class, from its fields. */
interface Sentences<Fields extends Schema.Struct.Fields> {
  /** What happened, with the values. */
  readonly fact: Text<Fields>
  /** What a person does next, with the command. @default the fact says it */
  readonly next?: Text<Fields>
  /** The message to people. @default the fact, a full stop and `next` */
  readonly message?: (error: Schema.Struct.Type<Fields> & Pick<Texts, "fact">) => string
  readonly steps: ToolSteps | ((error: Schema.Struct.Type<Fields>, all: boolean) => ToolSteps)
}

/** Fields that would hide a property of `Error`: a program reads `error.name` as the name of the class. */
type NoneOfError = { readonly [Name in "name" | "message" | "stack" | "cause"]?: never }

/** The base of every error of the contract. A class with more than one code names the others as `More`, and lists all as `codes`. */
export const ContractError =
  <Self, More extends string = never>() =>
  <Tag extends string, const Fields extends Schema.Struct.Fields & NoneOfError>(
    tag: Tag,
    fields: Fields,
    { fact, message, next, steps }: Sentences<Fields>
  ): ContractErrorClass<Self, Tag, Fields, More> => {
    type Instance = Schema.Struct.Type<Fields> & Pick<Texts, "fact">
    const textOf = (text: Text<Fields>, error: Instance) => typeof text === "function" ? text(error) : text
    const messageOf = (error: Instance) => {
      if (message !== undefined) return message(error)
      if (next === undefined) return error.fact
      // A question needs no full stop.
      return `${error.fact}${error.fact.endsWith("?") ? "" : "."} ${textOf(next, error)}`
    }
    const Base = Schema.TaggedError<Self>()(tag, fields)
    Object.defineProperties((Base as unknown as { readonly prototype: object }).prototype, {
      code: { get: () => snakeCase(tag) },
      fact: {
        get(this: Instance) {
          return textOf(fact, this)
        }
      },
      hint: {
        get(this: Instance) {
          return hintOf(this.fact, messageOf(this))
        }
      },
      message: {
        get(this: Instance) {
          return messageOf(this)
        }
      },
      toolSteps: {
        value(this: Instance, all: boolean) {
          return typeof steps === "function" ? steps(this, all) : steps
        }
      }
    })
    return Base as unknown as ContractErrorClass<Self, Tag, Fields, More>
  }

/** Parts of a message beside its fact. */
const hintOf = (fact: string, message: string) => {
  const rest = message.startsWith(fact) ? message.slice(fact.length).replace(/^[.?]?\s+/, "") : ""
  return rest === "" ? undefined : rest
}

type WithFields = Schema.Constraint & { readonly fields: Schema.Struct.Fields }

/** One of some classes of errors. JSON has their fields in snake_case. */
export const oneOfErrors = <const Classes extends ReadonlyArray<WithFields>>(
  classes: Classes
): Schema.Union<{ readonly [I in keyof Classes]: Schema.encodeKeys<Classes[I], SnakeKeys<Classes[I]["fields"]>> }> =>
  Schema.Union(classes.map((one) => Schema.encodeKeys(snakeKeys(one.fields))(one))) as never

/**
 * What a model does next after an error, in order of preference: sentences, each with the tools that it needs. A server shows the first
 * sentence whose tools it has, or "ask the user". People read the next command of `pyro` in the error's message.
 */
type ToolSteps = string | ReadonlyArray<string>

/** After a command that broke the guest: the smaller loss first. */
export const UNDO =
  "workspace_reset with before: \"1\" undoes the last command, and without `before` it discards all changes"

/** Without the tool, a model must not reset the workspace instead. */
export const start = [
  `call workspace_start: the files are kept. ${UNDO}`,
  `ask the user to start the workspace: the files are kept. ${UNDO}`,
  "ask the user to start the workspace: the files are kept"
] as const

/** After a microVM that may have ended. */
export const gone: ToolSteps = [
  `call workspace_status; if the microVM is gone, call workspace_start: the files are kept. ${UNDO}`,
  `call workspace_status; if the microVM is gone, ask the user to start the workspace: the files are kept. ${UNDO}`,
  ...start.slice(1)
]

/** After a command that did not start. */
export const nothingRan: ToolSteps = [
  `nothing ran, so another call is safe; if system files are broken: ${UNDO}`,
  "nothing ran, so another call is safe"
]

/** After an error of the host. */
export const usersHost: ToolSteps = "only the user can fix this, on the host"

/** After a request that the host has no room for, of which `fits` would fit. */
export const makeRoom = (fits: number | undefined): ToolSteps => {
  const less = fits === undefined || fits === 0 ? "ask for less" : `call again with count ${fits}`
  return [
    `${less}, or delete unneeded workspaces (workspace_list, workspace_delete)`,
    `${less}, or ask the user to make room`
  ]
}

/** The end of a fact about an unknown name. */
export const didYouMean = (similar: ReadonlyArray<string>): string =>
  similar.length === 0 ? "" : `. Did you mean ${similar.join(" or ")}?`
