import { Effect, Layer, Ref, Scope, Stream } from "effect"
import type { Headers } from "effect/http/Headers"
import type { ServerClient } from "effect/rpc/Rpc"
import type { RequestId } from "effect/rpc/RpcMessage"
import type { PullEvents } from "../../contract/rows/event-batches.ts"
import { operations } from "../../contract/rows/operations.ts"
import { callOf, Pyro, type PyroService } from "../../contract/rows/Pyro.ts"
import type { WindowSize } from "../../contract/rows/run-input.ts"
import { named } from "../../contract/text/names.ts"
import { identityOf, ownedId } from "../../contract/wire/identity.ts"
import {
  CREDIT,
  HELLO,
  makePyroRpcs,
  RELEASE,
  type StreamingRow,
  type UnaryRow,
  UNREADABLE
} from "../../contract/wire/rpcs.ts"
import { countReceived } from "../../system/processes/received-bytes.ts"
import { requestOf } from "../calls/list.ts"
import type { AnyEvent } from "../calls/request/observe.ts"
import type { Request, Surroundings } from "../calls/request/request.ts"
import { batchesOf, makeReleases, makeWindows, pullOf, type Releases, type Windows } from "./delivery.ts"
import { makeHolds } from "./holds.ts"
import { makeInputs } from "./inputs.ts"
import type { RequestTracker } from "./request-tracker.ts"

/** Parts of the daemon that the handlers use. */
export interface Serving extends Pick<Surroundings, "audit" | "hasSpan" | "isForeign" | "isReader" | "placesOf"> {
  readonly requests: RequestTracker
  /** The daemon's version and build. */
  readonly version: string
  /** Whether the daemon ends requests because it leaves. */
  readonly leaving: Ref.Ref<boolean>
}

/** A request, as the library describes it. */
interface Asked {
  readonly client: ServerClient
  readonly requestId: RequestId
  readonly headers: Headers
}

const unaryHandler = (pyro: PyroService, row: UnaryRow, surroundings: Surroundings) => {
  const call = callOf(pyro, row)
  const asked = requestOf(row, (payload) => call(payload) as Effect.Effect<unknown>, surroundings)
  return (payload: unknown, { headers }: Asked) => Effect.scoped(asked(payload, { headers }))
}

/** An id of a request beside the rows, as the daemon keeps it. */
const ofCaller = (headers: Headers, id: string) => ownedId(identityOf(headers), id)

/** State of all clients' operations. */
interface Beside {
  readonly windows: Windows
  readonly releases: Releases
}

/** An operation with events. It ends with the stream of its request. */
const streamingHandler = (
  pyro: PyroService,
  row: StreamingRow,
  surroundings: Surroundings,
  { releases, windows }: Beside
) => {
  const start = pullOf(pyro, row)
  const asked = requestOf(row, (payload, { input }) => start(payload, input), surroundings)
  return (payload: unknown, { client, headers, requestId }: Asked) =>
    Stream.unwrap(
      Effect.flatMap(releases, (acquired) =>
        Effect.gen(function*() {
          const window = yield* windows.open(client, String(requestId))
          const onCredit: Request["onCredit"] = (listener) => {
            window.onGive = listener
          }
          const pull = (yield* asked(payload, { headers, onCredit })) as PullEvents<AnyEvent>
          const paced = Effect.tap(batchesOf(pull, acquired), (events) => window.take(events.length))
          return Stream.fromPull(Effect.succeed(paced))
        }).pipe(Scope.provide(acquired.scope)))
    )
}

/** Every operation of the table, and the input of commands, served by `Pyro`. */
export const handlers = (serving: Serving) =>
  Layer.unwrap(Effect.gen(function*() {
    const pyro = yield* Pyro
    const inputs = makeInputs()
    const windows = makeWindows()
    const beside: Beside = { windows, releases: yield* makeReleases }
    const holds = yield* makeHolds
    const surroundings: Surroundings = {
      ...serving,
      holds,
      environments: Effect.map(
        pyro.env.list({}),
        ({ environments }) => environments.map(({ name }) => name)
      ),
      leaving: Ref.get(serving.leaving),
      takeInput: inputs.take
    }
    type Input = { readonly id: string }
    return makePyroRpcs().toLayer({
      ...named<unknown>(operations.map((row) => [
        row.name,
        row.kind === "unary"
          ? unaryHandler(pyro, row, surroundings)
          : streamingHandler(pyro, row, surroundings, beside)
      ])),
      [HELLO]: () => Effect.succeed({ daemonId: holds.daemonId(), version: serving.version }),
      [RELEASE]: ({ hold }: { readonly hold: string }, { headers }: Asked) => holds.release(ofCaller(headers, hold)),
      [UNREADABLE]: ({ detail }: { readonly detail: string }) => Effect.logError(`a client reports: ${detail}`),
      [CREDIT]: ({ events, request }: { readonly events: number; readonly request: string }, { client }: Asked) =>
        Effect.sync(() => windows.give(client, request, events)),
      "input.write": (
        { at, bytes, id }: Input & { readonly at: number; readonly bytes: Uint8Array },
        { headers }: Asked
      ) =>
        Effect.suspend(() => {
          countReceived(bytes.length)
          return inputs.write(ofCaller(headers, id), at, bytes)
        }),
      "input.end": ({ id }: Input, { headers }: Asked) => inputs.end(ofCaller(headers, id)),
      "input.interrupt": ({ id }: Input, { headers }: Asked) => inputs.interrupt(ofCaller(headers, id)),
      "input.resize": ({ id, ...size }: Input & WindowSize, { headers }: Asked) =>
        inputs.resize(ofCaller(headers, id), size)
    } as never)
  }))
