import { Option, Schema } from "effect"

/** Maximum time, in seconds, that a client may ask for. */
const MAX_HOLD_SECONDS = 600

/** Bytes of an id in hexadecimal digits: 128 random bits, so that no client meets the request of another one. */
const HoldId = Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{32}$/)))
const Count = Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0)))

const Hold = Schema.Struct({
  /** Id of the request over all of its connections. The client mints it. */
  id: HoldId,
  /** Time that the work goes on without its client, and that its answer is kept. */
  seconds: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: MAX_HOLD_SECONDS }))),
  /** The daemon that the request was first sent to, if it is asked again: the id of `hello`. */
  again: Schema.optionalKey(Schema.String),
  /** Number of events that the client has already. */
  had: Schema.optionalKey(Count)
})

/**
 * How a request survives its connection. The daemon keeps the work and the events that the client may have missed, and the client asks again with
 * the same id on its next connection.
 */
export type Hold = typeof Hold.Type

const HEADER = "pyro-hold"
const InHeader = Schema.fromJsonString(Hold)
const read = Schema.decodeOption(InHeader)
const write = Schema.encodeSync(InHeader)

/** The header of a request that survives its connection. */
export const holdHeader = (hold: Hold): Readonly<Record<string, string>> => ({ [HEADER]: write(hold) })

/** How a request survives its connection. Undefined: it ends with the connection. */
export const holdOf = (headers: Readonly<Record<string, string | undefined>>): Hold | undefined => {
  const header = headers[HEADER]
  return header === undefined ? undefined : Option.getOrUndefined(read(header))
}
