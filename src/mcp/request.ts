import type { Effect, Either } from "effect"
import type { InvalidRequest, PyroError } from "../contract/errors.ts"
import type { PureSchema } from "../contract/operation.ts"
import type { OperationName, PayloadOf, ResultOf } from "../contract/operations.ts"
import type { PyroService } from "../contract/Pyro.ts"
import type { Project } from "../sdk/project.ts"
import type { Fields, Given } from "./arguments.ts"

/** A call of a tool while it is done. */
export interface Request<Payload> {
  readonly pyro: PyroService
  readonly payload: Payload
  /** Arguments that are the surface's own, by the names of the row. */
  readonly own: Fields
  readonly project: Project
  /** Tells the caller how far it is, when a word of progress is due. */
  readonly report: (message: string) => void
  /** A text of pyro's own as a model reads it: tools and arguments for commands and options. */
  readonly inWords: (text: string) => string
  /** Says that everything is prepared: the call waits to the end from now on. */
  readonly underWay: () => void
}

/** What a tool came to: the typed result, and the same as text. */
export interface Done<Result> {
  readonly result: Result
  readonly text: string
  /** The text, and the image where there is one, are all that a model is told: hosts show a typed result in their place. */
  readonly alone?: { readonly image?: Image | undefined } | undefined
}

export interface Image {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** How a tool differs from what its row says: most are the row and a text. */
export interface Tool<Name extends OperationName, Result = ResultOf<Name>> {
  /** Schema of the result, where it is not the row's. */
  readonly result?: () => PureSchema & { readonly Type: Result }
  /** Its work goes on when a call has waited long enough, and an equal call takes it up. */
  readonly goesOn?: true
  /** JSON of the payload from what was given. */
  readonly fill?: (given: Given, project: Project) => Either.Either<Fields, InvalidRequest>
  /** Does it, in the place of calling the operation and folding its events. */
  readonly perform?: (request: Request<PayloadOf<Name>>) => Effect.Effect<Done<Result>, PyroError>
  /** The result for people, verdict first. */
  readonly text?: (result: Result, request: Request<PayloadOf<Name>>) => string
}

/** A tool whose types are forgotten; it is called with what belongs to it. */
export interface AnyTool {
  readonly result?: () => PureSchema
  readonly goesOn?: true
  readonly fill?: (given: Given, project: Project) => Either.Either<Fields, InvalidRequest>
  readonly perform?: (request: Request<never>) => Effect.Effect<Done<unknown>, PyroError>
  readonly text?: (result: never, request: Request<never>) => string
}
