import type { Effect, Scope } from "effect"
import type { InvalidRequest, PyroError } from "../../../contract/errors/errors.ts"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import type { Operation } from "../../../contract/rows/operations.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { CallerPlaces } from "../../../contract/wire/caller-project.ts"
import type { Hold } from "../../../contract/wire/hold.ts"
import type { DaemonLeaves, RequestForgotten, RequestRefusal } from "../../../contract/wire/request-errors.ts"

/** A request of a client or a page, beside its payload. */
export interface Request {
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The input of a streaming operation, from the line `input` on. */
  readonly input?: RunInput
  /** Calls `listener` with the number of events that the client has taken, each time that the client reports some. For a streaming row. */
  readonly onCredit?: (listener: (events: number) => void) => void
}

/** A request in its lines. It gives the result of a unary row, or the pulls of a streaming row, and ends with the Scope. */
export type RequestCall = (
  payload: unknown,
  request: Request
) => Effect.Effect<unknown, PyroError | RequestRefusal, Scope.Scope>

type Count = Effect.Effect<void, DaemonLeaves, Scope.Scope>

/** Keeps the work of requests whose clients are lost. */
export interface Holds {
  /**
   * The result of a request of the row that survives its connection: begins its work, or finds what an earlier connection began. Fails with
   * RequestForgotten if the work is not known any more.
   */
  readonly ask: <A, E>(
    row: string,
    hold: Hold,
    work: Effect.Effect<A, E, Scope.Scope>
  ) => Effect.Effect<A, E | RequestForgotten | InvalidRequest, Scope.Scope>
  /** The same for the events of a request. */
  readonly events: <Event, E>(
    row: string,
    hold: Hold,
    start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>,
    onCredit: Request["onCredit"]
  ) => Effect.Effect<PullEvents<Event, E | RequestForgotten>, RequestForgotten | InvalidRequest, Scope.Scope>
}

/** What the daemon gives to the lines around requests. */
export interface Surroundings {
  /** Counts of requests. Each fails if the daemon is closed. */
  readonly requests: {
    readonly refuseWhenClosed: Count
    readonly track: Count
    readonly trackReader: Count
  }
  /** The kept work of requests that survive their connection. Absent: each request ends with its connection. */
  readonly holds?: Holds | undefined
  /** Whether the daemon ends requests because it leaves. */
  readonly leaving: Effect.Effect<boolean>
  /** The stdin, signals and sizes of the id. */
  readonly takeInput: (id: string) => Effect.Effect<RunInput, never, Scope.Scope>
  /** Whether a span of the operation has a use. */
  readonly hasSpan: (row: Operation) => boolean
  /** Whether the daemon may leave during the operation, because its client asks the next daemon. @default none */
  readonly isReader?: ((row: Operation) => boolean) | undefined
  /** Writes an entry to the audit log. Never fails: what happens then is in the daemon's log. @default no log */
  readonly audit?: ((entry: object) => Effect.Effect<void>) | undefined
  /** Names of the environments that a client over the network may use. @default none */
  readonly environments?: Effect.Effect<ReadonlyArray<string>, PyroError> | undefined
  /** Whether the clients are of other machines. @default of this one */
  readonly isForeign?: boolean | undefined
  /** The only directories of the host that a request may reach. @default those of its caller */
  readonly placesOf?: ((row: Operation, payload: unknown) => Effect.Effect<CallerPlaces, PyroError>) | undefined
}
