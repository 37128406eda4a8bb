import { Effect, Layer, Ref } from "effect"
import type { Headers } from "effect/http/Headers"
import type { ServerClient } from "effect/rpc/Rpc"
import { pullFromStream, type PullOperation, type StreamingCall } from "../contract/rows/event-batches.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { callOf, Pyro, type PyroService } from "../contract/rows/Pyro.ts"
import type { RunInput, WindowSize } from "../contract/rows/run-input.ts"
import { named } from "../contract/text/names.ts"
import { forCaller } from "../contract/wire/caller-project.ts"
import { DROP, firstName, restName, type StreamingRow, streamingRows } from "../contract/wire/event-rpcs.ts"
import { ENDS_WITH_CALLER_HEADER, INPUT_HEADER, RESUMED_HEADER } from "../contract/wire/input-rpcs.ts"
import { withMinted } from "../contract/wire/minted-ids.ts"
import { makePyroRpcs, type UnaryRow, unaryRows } from "../contract/wire/rpc.ts"
import { UNREADABLE } from "../contract/wire/unreadable.ts"
import { type DirectMessages, makeDirectMessages } from "./direct-messages.ts"
import { demandAbsolutePaths } from "./host-paths.ts"
import { type AnyEvent, observe, observeEvents } from "./observer.ts"
import { makeOpenOperations } from "./open-operations.ts"
import type { RequestTracker } from "./request-tracker.ts"

/** What the handlers share with the daemon that has them. */
export interface Serving {
  readonly requests: RequestTracker
  /** Whether requests are ended because the daemon leaves, and not by their callers. */
  readonly leaving: Ref.Ref<boolean>
  /** Messages that do not pass the RPC server. */
  readonly direct?: DirectMessages
  /** Whether a span of the operation has any use. */
  readonly hasSpan: (row: Operation) => boolean
}

/** What flows into a request, and what is known of how it ends. */
const inputOf = (inputs: DirectMessages["inputs"], headers: Headers, leaving: Serving["leaving"]) =>
  Effect.suspend(() => {
    const id = headers[INPUT_HEADER]
    const known: RunInput = {
      resumed: headers[RESUMED_HEADER] !== undefined,
      endsWithCaller: headers[ENDS_WITH_CALLER_HEADER] !== undefined,
      leaving: Ref.get(leaving)
    }
    return id === undefined
      ? Effect.succeed(known)
      : Effect.map(inputs.take(id), (flowing): RunInput => ({ ...flowing, ...known }))
  })

const unaryHandler = (pyro: PyroService, row: UnaryRow, { requests }: Serving) => {
  const call = callOf(pyro, row)
  const demand = demandAbsolutePaths(row)
  const attend = row.home === "observer" ? requests.refuseWhenClosed : requests.track
  const observed = observe(row)
  return (payload: unknown, { headers }: { readonly headers: Headers }) =>
    Effect.scoped(
      Effect.andThen(attend, observed(Effect.andThen(demand(payload), call(payload) as Effect.Effect<unknown>)))
    ).pipe(forCaller(headers))
}

/** Events batch by batch. An operation without `pull` runs as a stream into a small buffer. */
const pullOf = (pyro: PyroService, row: StreamingRow): PullOperation<AnyEvent, unknown> => {
  const call = callOf(pyro, row) as StreamingCall<AnyEvent, unknown>
  return call.pull ?? ((payload, input) => pullFromStream(call(payload, input)))
}

/** The requests of the operations with events. */
const eventHandlers = (
  pyro: PyroService,
  { inputs, senderOf }: DirectMessages,
  open: ReturnType<typeof makeOpenOperations>,
  serving: Serving
) => {
  const { leaving, requests } = serving
  type Named = { readonly id: string; readonly request: unknown }
  const first = (row: StreamingRow) => {
    const start = pullOf(pyro, row)
    const demand = demandAbsolutePaths(row)
    const observed = observeEvents(row, serving.hasSpan(row))
    return ({ id, request }: Named, { headers }: { readonly headers: Headers }) =>
      open.first(
        id,
        Effect.flatMap(
          Effect.andThen(requests.track, inputOf(inputs, headers, leaving)),
          (input) => observed(Effect.andThen(demand(request), start(request, input)))
        )
      ).pipe(forCaller(headers), withMinted(headers))
  }
  const rest = ({ id }: Named, { client }: { readonly client: ServerClient }) => open.rest(id, senderOf(client.id, id))
  const handlers = streamingRows.flatMap((row) => [[firstName(row), first(row)], [restName(row), rest]] as const)
  return { ...named<unknown>(handlers), [DROP]: ({ id }: Named) => open.drop(id) }
}

/** Every operation of the table, and the input of commands, served by `Pyro`. */
export const handlers = (serving: Serving) =>
  Layer.unwrap(Effect.gen(function*() {
    const pyro = yield* Pyro
    const direct = serving.direct ?? makeDirectMessages()
    const { inputs } = direct
    const open = makeOpenOperations(yield* Effect.scope)
    return makePyroRpcs().toLayer({
      ...named(unaryRows.map((row) => [row.name, unaryHandler(pyro, row, serving)] as const)),
      ...eventHandlers(pyro, direct, open, serving),
      [UNREADABLE]: ({ detail }: { readonly detail: string }) => Effect.logError(`a client reports: ${detail}`),
      "input.write": ({ bytes, id }: { readonly id: string; readonly bytes: Uint8Array }) => inputs.write(id, bytes),
      "input.end": ({ id }: { readonly id: string }) => inputs.end(id),
      "input.interrupt": ({ id }: { readonly id: string }) => inputs.interrupt(id),
      "input.resize": ({ id, ...size }: { readonly id: string } & WindowSize) => inputs.resize(id, size)
    } as never)
  }))
