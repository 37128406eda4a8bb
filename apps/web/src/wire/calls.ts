import { Cause, Effect, Exit, Option, Schema } from "effect"
import type { PyroError } from "../../../../src/contract/errors/errors.ts"
import type { NextStep } from "../../../../src/contract/errors/next-step.ts"
import { calledRow, takeable } from "../../../../src/contract/rows/next-steps.ts"
import {
  type EventOf,
  type Operation,
  type OperationName,
  type OperationOf,
  operations,
  type ResultOf
} from "../../../../src/contract/rows/operations.ts"
import { type GivenTo, payloadOf } from "../../../../src/contract/rows/payload-of.ts"
import { INPUT_HEADER, type StreamingRow, type UnaryRow } from "../../../../src/contract/wire/rpcs.ts"
import { type Connection, type InputSink, isLost, type RequestFailure } from "../../../../src/sdk/over-socket.ts"
import { connected, connectedNow } from "./link.ts"

type UnaryName = UnaryRow["name"]
type StreamingName = StreamingRow["name"]

/** A failed request, as the page shows it. */
export class RequestFailed extends Error {
  override readonly name = "RequestFailed"
  /** Stable code of pyro's error. `connection_lost`: the daemon went away before its answer. */
  readonly code: string
  /** What to do next. The message has the fact alone. */
  readonly next: ReadonlyArray<NextStep>
  constructor(code: string, message: string, next: ReadonlyArray<NextStep> = []) {
    super(message)
    this.code = code
    this.next = next
  }
}

const rows = new Map<string, Operation>(operations.map((row) => [row.name, row]))

const rowOf = <Name extends OperationName>(name: Name) => rows.get(name) as unknown as OperationOf<Name>

const refusedOf = (failure: PyroError) => new RequestFailed(failure.code, failure.fact, takeable(failure.next))

const failedOf = (failure: RequestFailure) =>
  isLost(failure)
    ? new RequestFailed(
      "connection_lost",
      "The daemon went away before it answered. The step may have been done: look before you repeat it."
    )
    : refusedOf(failure)

const notConnected = () => new RequestFailed("connection_lost", "The page has no connection to the daemon.")

const failureOf = (cause: Cause.Cause<RequestFailure>): RequestFailure | Error =>
  Option.getOrElse(Cause.findErrorOption(cause), () => {
    const defect = Cause.squash(cause)
    return defect instanceof Error ? defect : new Error(String(defect))
  })

const thrown = (failure: RequestFailure | Error): Error =>
  "_tag" in failure ? failedOf(failure) : new RequestFailed("defect", failure.message)

const isLostFailure = (failure: RequestFailure | Error) => "_tag" in failure && isLost(failure)

/** A connection for a request. A read waits for one; a step that changes something fails at once, so that no button acts minutes later. */
const connectionFor = async ({ annotations }: Operation) => {
  if (annotations.readOnly) return connected()
  const now = connectedNow()
  if (now === undefined) throw notConnected()
  return now
}

/** One request, one answer. A read is repeated after a lost connection. Rejects with RequestFailed. */
export const ask = async <Name extends UnaryName>(name: Name, given: GivenTo<Name>): Promise<ResultOf<Name>> => {
  const row = rowOf(name) as Operation
  for (;;) {
    const connection = await connectionFor(row)
    const exit = await Effect.runPromiseExit(connection.ask(name, payloadOf(name, given)))
    if (Exit.isSuccess(exit)) return exit.value as ResultOf<Name>
    const failure = failureOf(exit.cause)
    if (!isLostFailure(failure) || !row.annotations.readOnly) throw thrown(failure)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const newInputId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")

interface Following<Event> {
  /** The daemon sends on when this has ended, so a slow reader slows the operation alone. */
  readonly events: (events: ReadonlyArray<Event>) => void | Promise<void>
  /** Called before the first events of each connection: they begin anew. */
  readonly begin?: () => void
  readonly failed?: (failure: Error) => void
  readonly ended?: () => void
  /** Called for each connection, with the receiver of the operation's input. */
  readonly input?: (sink: InputSink<unknown>) => void
}

const runEvents = (
  connection: Connection,
  row: StreamingRow,
  payload: unknown,
  { events, input }: Following<never>,
  signal: AbortSignal
) => {
  const id = input === undefined ? undefined : newInputId()
  return Effect.runPromiseExit(
    Effect.scoped(Effect.gen(function*() {
      const next = yield* connection.events(row, payload, id === undefined ? {} : { [INPUT_HEADER]: id })
      if (id !== undefined) input!(connection.input(id))
      for (;;) {
        const batch = yield* Effect.catch(
          next(),
          (end) => Option.isNone(end) ? Effect.succeed(undefined) : Effect.fail(end.value)
        )
        if (batch === undefined) return
        const taken = events(batch as ReadonlyArray<never>)
        if (taken !== undefined) yield* Effect.promise(() => taken)
      }
    })),
    { signal }
  )
}

/** Follows an operation's events until the returned function is called. After a lost connection, it begins again with the next one. */
export const follow = <Name extends StreamingName>(
  name: Name,
  given: GivenTo<Name>,
  on: Following<EventOf<Name>>
): () => void => {
  const stop = new AbortController()
  const payload = payloadOf(name, given)
  const row = rowOf(name) as unknown as StreamingRow
  const going = async () => {
    while (!stop.signal.aborted) {
      const connection = await connected()
      if (stop.signal.aborted) return
      on.begin?.()
      const exit = await runEvents(connection, row, payload, on as Following<never>, stop.signal)
      if (stop.signal.aborted) return
      if (Exit.isSuccess(exit)) return on.ended?.()
      const failure = failureOf(exit.cause)
      if (!isLostFailure(failure)) return on.failed?.(thrown(failure))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  void going()
  return () => stop.abort()
}

/** Performs an operation with events, and gives its result. Rejects with RequestFailed. `event` sees each event. */
export const perform = async <Name extends StreamingName>(
  name: Name,
  given: GivenTo<Name>,
  event: (event: EventOf<Name>) => void = () => {},
  signal: AbortSignal = new AbortController().signal
): Promise<ResultOf<Name>> => {
  const payload = payloadOf(name, given)
  const row = rowOf(name) as unknown as StreamingRow
  const folding = (row.fold as (payload: unknown) => {
    readonly add: (event: unknown) => void
    readonly result: () => unknown
  })(payload)
  const events = (batch: ReadonlyArray<EventOf<Name>>) => {
    for (const one of batch) {
      folding.add(one)
      event(one)
    }
  }
  const exit = await runEvents(await connectionFor(row), row, payload, { events } as Following<never>, signal)
  if (Exit.isFailure(exit)) throw thrown(failureOf(exit.cause))
  const result = folding.result()
  if (result === undefined) throw new RequestFailed("no_result", `${name} ended without a result.`)
  return result as ResultOf<Name>
}

/** Makes the call of a next step as it is. Rejects with RequestFailed. */
export const performStep = async (step: Extract<NextStep, { readonly call: string }>): Promise<void> => {
  const row = calledRow(step)!
  const payload = Schema.decodeUnknownSync(row.payload())(step.with)
  if (row.kind === "unary") await ask(row.name as UnaryName, payload as never)
  else await perform(row.name as StreamingName, payload as never)
}
