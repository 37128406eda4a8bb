import { Effect, Layer, Ref, Schema, Scope, Stream } from "effect"
import type { Headers } from "effect/http/Headers"
import type { ServerClient } from "effect/rpc/Rpc"
import type { RequestId } from "effect/rpc/RpcMessage"
import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import { halfCharacterIn } from "../../contract/errors/half-character.ts"
import { invalidRequest } from "../../contract/errors/issue.ts"
import { type CliSurface, lazy } from "../../contract/rows/operation.ts"
import { type Operation, operations } from "../../contract/rows/operations.ts"
import { callOf, Pyro, type PyroService } from "../../contract/rows/Pyro.ts"
import type { RunInput, WindowSize } from "../../contract/rows/run-input.ts"
import { hasAbsolutePath } from "../../contract/text/image-archive.ts"
import { named } from "../../contract/text/names.ts"
import { snakeCase } from "../../contract/text/snake.ts"
import { boundPlaces, type CallerPlaces, forCaller } from "../../contract/wire/caller-project.ts"
import { withMinted } from "../../contract/wire/minted-ids.ts"
import {
  CREDIT,
  ENDS_WITH_CALLER_HEADER,
  INPUT_HEADER,
  makePyroRpcs,
  NO_OUTPUT_HEADER,
  RESUMED_HEADER,
  type StreamingRow,
  type UnaryRow,
  UNREADABLE
} from "../../contract/wire/rpcs.ts"
import { countReceived } from "../../system/processes/received-bytes.ts"
import { batchesOf, makeReleases, makeWindows, pullOf, type Releases, type Windows } from "./delivery.ts"
import { type Inputs, makeInputs } from "./inputs.ts"
import { observe, observeEvents } from "./observer.ts"
import type { RequestTracker } from "./request-tracker.ts"

/**
 * Fails if a request names a path of the host that is not absolute: the caller means its own directory, and the daemon's working directory
 * is /. `-` is no path.
 */
const demandAbsolutePaths = (row: Operation): (payload: unknown) => Effect.Effect<void, InvalidRequest> => {
  const { hostPaths = [], imageSources = [] }: CliSurface = row.cli
  if (hostPaths.length === 0) return () => Effect.void
  return (payload) =>
    Effect.suspend(() => {
      for (const [name, value] of Object.entries(payload as object)) {
        const field = snakeCase(name)
        if (!hostPaths.includes(field) || typeof value !== "string" || value === "-" || value.startsWith("/")) continue
        if (imageSources.includes(field) && hasAbsolutePath(value)) continue
        return new InvalidRequest({
          field,
          detail: "must be an absolute path of the host: the daemon is in no directory of yours"
        })
      }
      return Effect.void
    })
}

/** Parts of the daemon that the handlers use. */
export interface Serving {
  readonly requests: RequestTracker
  /** Whether the daemon ends requests because it leaves. */
  readonly leaving: Ref.Ref<boolean>
  /** Whether a span of the operation has a use. */
  readonly hasSpan: (row: Operation) => boolean
  /** Whether the daemon may leave during the operation, because its client asks the next daemon. @default none */
  readonly isReader?: (row: Operation) => boolean
  /** The only directories of the host that a request may reach. @default those of its caller */
  readonly placesOf?: (row: Operation, payload: unknown) => Effect.Effect<CallerPlaces, PyroError>
}

/** Runs the work of a request within the directories that the request may reach. */
const withinPlaces = (row: Operation, { placesOf }: Serving) =>
  placesOf === undefined
    ? (_: unknown) => <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | PyroError, R> => work
    : (payload: unknown) => <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | PyroError, R> =>
      Effect.flatMap(placesOf(row, payload), (places) => Effect.provideService(work, boundPlaces, places))

/** Counts a request of the operation until the Scope closes. */
const attendance = (row: Operation, { isReader, requests }: Serving) =>
  isReader?.(row) === true ? requests.trackReader : requests.track

/** A request, as the library describes it. */
interface Asked {
  readonly client: ServerClient
  readonly requestId: RequestId
  readonly headers: Headers
}

/** The input of a request, and how the request may end. */
const inputOf = (inputs: Inputs, headers: Headers, leaving: Serving["leaving"]) =>
  Effect.suspend(() => {
    const id = headers[INPUT_HEADER]
    const known: RunInput = {
      resumed: headers[RESUMED_HEADER] !== undefined,
      endsWithCaller: headers[ENDS_WITH_CALLER_HEADER] !== undefined,
      withoutOutput: headers[NO_OUTPUT_HEADER] !== undefined,
      leaving: Ref.get(leaving)
    }
    return id === undefined
      ? Effect.succeed(known)
      : Effect.map(inputs.take(id), (flowing): RunInput => ({ ...flowing, ...known }))
  })

/** Checks a payload. The wire has checked only the types of its fields. */
const checked = ({ payload }: Operation) => {
  const decode = lazy(() => Schema.decodeUnknownEffect(Schema.toType(payload())))
  return (given: unknown) =>
    Effect.flatMap(
      Effect.mapError(decode()(given), (error) => invalidRequest(error, snakeCase)),
      (payload) => {
        const refused = halfCharacterIn(payload, snakeCase)
        return refused === undefined ? Effect.succeed(payload) : Effect.fail(refused)
      }
    )
}

const unaryHandler = (pyro: PyroService, row: UnaryRow, serving: Serving) => {
  const call = callOf(pyro, row)
  const demand = demandAbsolutePaths(row)
  const check = checked(row)
  const attend = row.home === "observer" ? serving.requests.refuseWhenClosed : attendance(row, serving)
  const observed = observe(row)
  const within = withinPlaces(row, serving)
  const work = (payload: unknown) =>
    within(payload)(Effect.andThen(demand(payload), call(payload) as Effect.Effect<unknown>))
  return (payload: unknown, { headers }: Asked) =>
    Effect.scoped(Effect.andThen(attend, observed(Effect.flatMap(check(payload), work)))).pipe(forCaller(headers))
}

/** State of all clients' operations. */
interface Beside {
  readonly inputs: Inputs
  readonly windows: Windows
  readonly releases: Releases
}

/** An operation with events. It ends with the stream of its request. */
const streamingHandler = (
  pyro: PyroService,
  row: StreamingRow,
  serving: Serving,
  { inputs, releases, windows }: Beside
) => {
  const { hasSpan, leaving } = serving
  const attend = attendance(row, serving)
  const start = pullOf(pyro, row)
  const demand = demandAbsolutePaths(row)
  const check = checked(row)
  const observed = observeEvents(row, hasSpan(row))
  const within = withinPlaces(row, serving)
  return (payload: unknown, { client, headers, requestId }: Asked) =>
    Stream.unwrap(
      Effect.flatMap(releases, (acquired) =>
        Effect.gen(function*() {
          yield* attend
          const window = yield* windows.open(client.id, String(requestId))
          const input = yield* inputOf(inputs, headers, leaving)
          const work = (payload: unknown) => within(payload)(Effect.andThen(demand(payload), start(payload, input)))
          const pull = yield* observed(Effect.flatMap(check(payload), work))
          const paced = Effect.tap(batchesOf(pull, acquired), (events) => window.take(events.length))
          return Stream.fromPull(Effect.succeed(paced))
        }).pipe(Scope.provide(acquired.scope), forCaller(headers), withMinted(headers)))
    )
}

/** Every operation of the table, and the input of commands, served by `Pyro`. */
export const handlers = (serving: Serving) =>
  Layer.unwrap(Effect.gen(function*() {
    const pyro = yield* Pyro
    const inputs = makeInputs()
    const windows = makeWindows()
    const beside: Beside = { inputs, windows, releases: yield* makeReleases }
    type Input = { readonly id: string }
    return makePyroRpcs().toLayer({
      ...named<unknown>(operations.map((row) => [
        row.name,
        row.kind === "unary"
          ? unaryHandler(pyro, row, serving)
          : streamingHandler(pyro, row, serving, beside)
      ])),
      [UNREADABLE]: ({ detail }: { readonly detail: string }) => Effect.logError(`a client reports: ${detail}`),
      [CREDIT]: ({ events, request }: { readonly events: number; readonly request: string }, { client }: Asked) =>
        Effect.sync(() => windows.give(client.id, request, events)),
      "input.write": ({ at, bytes, id }: Input & { readonly at: number; readonly bytes: Uint8Array }) =>
        Effect.suspend(() => {
          countReceived(bytes.length)
          return inputs.write(id, at, bytes)
        }),
      "input.end": ({ id }: Input) => inputs.end(id),
      "input.interrupt": ({ id }: Input) => inputs.interrupt(id),
      "input.resize": ({ id, ...size }: Input & WindowSize) => inputs.resize(id, size)
    } as never)
  }))
