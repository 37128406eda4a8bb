import { Effect, Schema } from "effect"
import { InvalidRequest } from "../errors/errors.ts"

/** Maximum time, in seconds, that a client may ask for. */
const MAX_HOLD_SECONDS = 600

/** An id of 128 random bits in hexadecimal digits, so that no client meets the request of another one. */
export const HoldId = Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{32}$/)))
const Count = Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0)))

const Hold = Schema.Struct({
  /** Id of the request over all of its connections. The client mints it. */
  id: HoldId,
  /** Time that the work goes on without its client, and that its answer is kept. */
  seconds: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: MAX_HOLD_SECONDS }))),
  /** The daemon that the request was first sent to, if it is asked again: the id of `hello`. */
  again: Schema.optionalKey(Schema.String),
  /** Number of earlier attempts. A request that comes late does not take the work from a later attempt. */
  attempt: Schema.optionalKey(Count),
  /** Number of events that the client has already. */
  had: Schema.optionalKey(Count)
})

/**
 * How a request survives its connection. The daemon keeps the work and the events that the client may have missed, and the client asks again with
 * the same id on its next connection.
 */
export type Hold = typeof Hold.Type

/** Name of the header of a request that survives its connection. */
export const HOLD_HEADER = "pyro-hold"
const InHeader = Schema.fromJsonString(Hold)
const read = Schema.decodeEffect(InHeader)
const write = Schema.encodeSync(InHeader)

/** The header of a request that survives its connection. */
export const holdHeader = (hold: Hold): Readonly<Record<string, string>> => ({ [HOLD_HEADER]: write(hold) })

/** How a request survives its connection. A client whose header is refused must not believe that its work is kept. */
export const holdOf = (header: string): Effect.Effect<Hold, InvalidRequest> =>
  Effect.mapError(
    read(header),
    () =>
      new InvalidRequest({
        field: HOLD_HEADER,
        detail: `must be JSON with an id of 32 hexadecimal digits and 1 to ${MAX_HOLD_SECONDS} seconds; ` +
          "attempt and had are 0 or more"
      })
  )
