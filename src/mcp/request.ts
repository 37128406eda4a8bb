import type { Effect, Result } from "effect"
import type { InvalidRequest, PyroError } from "../contract/errors/errors.ts"
import type { Notice } from "../contract/rows/notice.ts"
import type { PureSchema } from "../contract/rows/operation.ts"
import type { OperationName, PayloadOf, ResultOf } from "../contract/rows/operations.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import type { Project } from "../sdk/project.ts"
import type { Fields, Given } from "./arguments.ts"

/** A call of a tool while it runs. */
export interface Request<Payload> {
  readonly pyro: PyroService
  readonly payload: Payload
  /** Arguments that are the surface's own, by the names of the row. */
  readonly own: Fields
  readonly project: Project
  /** Sets the next progress message. */
  readonly report: (message: string) => void
  /** A notice in a model's words: what happened, and what to do next as calls of tools. */
  readonly told: (notice: Pick<Notice, "message" | "next">) => string
  /** Whether the server has a tool. */
  readonly has: (tool: string) => boolean
  /** Says that the preparation has ended: the call waits to the end from now on. */
  readonly underWay: () => void
  /** Ends at the client's own time-out, for a tool that outlives it. */
  readonly timedOut: Effect.Effect<void>
}

/** Result of a tool, typed and as text. */
export interface Done<Result> {
  readonly result: Result
  readonly text: string
  /** Return only the text, and the image if there is one: hosts would show a typed result instead. */
  readonly alone?: { readonly image?: Image | undefined } | undefined
}

export interface Image {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** Differences of a tool from its row. Most tools are the row and a text. */
interface Differences<Payload, In, Out> {
  /** Schema of the result. @default the row's */
  readonly result?: () => PureSchema & { readonly Type: Out }
  /**
   * Its work outlives a call that has waited long enough, and an equal call resumes it. What the model is told then: why it takes so long. Undefined: the
   * call waits to the end.
   */
  readonly continues?: (project: Project) => string | undefined
  /** The call waits as long as its arguments say, also after the client's time-out. Its work then goes on without the call. */
  readonly outlivesTimeOut?: true
  /** JSON of the payload from the arguments. */
  readonly fill?: (given: Given, project: Project) => Result.Result<Fields, InvalidRequest>
  /** The work of the tool. @default calls the operation and folds its events */
  readonly perform?: (request: Request<Payload>) => Effect.Effect<Done<Out>, PyroError>
  /** The result for people, verdict first. */
  readonly text?: (result: In, request: Request<Payload>) => string
}

export type Tool<Name extends OperationName, A = ResultOf<Name>> = Differences<PayloadOf<Name>, A, A>

/** A tool without its types. */
export type AnyTool = Differences<never, never, unknown>
