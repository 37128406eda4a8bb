import { Deferred, Effect, Exit, Result } from "effect"
import { ChannelFailed } from "../../../contract/errors/errors.ts"
import { escapeGuestText } from "../../../contract/text/printable.ts"
import { acquirePlain } from "../../../system/waits/effects.ts"
import { type Call, Calls } from "../model/calls.ts"
import { AgentCallFailed, errnoName } from "../model/errors.ts"
import type { ProcessExit } from "../model/process.ts"
import type { GuestStream, StreamBegin } from "../streams/stream.ts"
import { encodeControl } from "../wire/control.ts"
import type { Refused } from "../wire/ending.ts"
import { HostMessage, type Message } from "../wire/messages.ts"
import { Unencodable } from "../wire/violation.ts"
import type { Connection } from "./connection.ts"

/** Unread output that the guest may send ahead, per output, unless a request says otherwise. */
export const DEFAULT_WINDOW_BYTES = 1_048_576

/** Allowed windows: below a page frames would be tiny, and above 16 MiB one stream could fill the guest. */
const MIN_WINDOW_BYTES = 4_096
const MAX_WINDOW_BYTES = 16_777_216
export const windowOf = (bytes: number | undefined) =>
  Math.min(Math.max(Math.trunc(bytes ?? DEFAULT_WINDOW_BYTES), MIN_WINDOW_BYTES), MAX_WINDOW_BYTES)

/** Runs `encode`, which may throw `Unencodable`, on a connection that works. */
const encodeNow = <A, E>(
  connection: Connection,
  refused: (why: Unencodable) => E,
  encode: () => A
): Result.Result<A, ChannelFailed | E> => {
  if (connection.failure !== undefined) return Result.fail(connection.failure)
  try {
    return Result.succeed(encode())
  } catch (error) {
    if (error instanceof Unencodable) return Result.fail(refused(error))
    throw error
  }
}

const encoding = <A, E>(connection: Connection, refused: (why: Unencodable) => E, encode: () => A) =>
  Effect.suspend(() => Effect.fromResult(encodeNow(connection, refused, encode)))

/** Messages before and after a time without any message. */
export interface Silence {
  readonly last: Call<unknown>
  /** They are made when they are sent, because some contain the time. */
  readonly first: ReadonlyArray<() => Call<unknown>>
}

/** Sends `last`, waits for its answer, and sends nothing during `use`. Then sends `first`, and then the messages of others. */
export const silently = <A, E, R>(
  connection: Connection,
  { first, last }: Silence,
  use: Effect.Effect<A, E, R>
): Effect.Effect<A, AgentCallFailed | ChannelFailed | E, R> =>
  Effect.suspend(() => {
    let resume = () => {}
    const answered = encoding(connection, unencodableFor(last.name), () => {
      const { frame, result } = connection.make(last, last.encode())
      connection.send(frame)
      connection.outbox.pause()
      // Registered before any wait: the agent answers calls in their order.
      const announced = first.map((make) => ({ make, ...connection.announce(make()) }))
      resume = () => connection.outbox.resume(announced.map(({ frameOf, make }) => frameOf(make().encode())))
      return result
    })
    const quiet = (isQuiet: boolean) => Effect.sync(() => (connection.isQuiet = isQuiet))
    return answered.pipe(
      Effect.flatMap(Deferred.await),
      Effect.andThen(Effect.acquireUseRelease(quiet(true), () => use, () => quiet(false))),
      Effect.ensuring(Effect.sync(() => resume()))
    )
  })

export const unencodableFor = (operation: string) => ({ errno, message: detail }: Unencodable) =>
  new AgentCallFailed({ operation, errno, detail })

/** Sends one call. Calls that run without a wait between them share a write and a round trip. */
export const request = <A>(connection: Connection, call: Call<A>): Effect.Effect<A, AgentCallFailed | ChannelFailed> =>
  encoding(connection, unencodableFor(call.name), () => {
    const { frame, result } = connection.make(call, call.encode())
    connection.send(frame)
    return result
  }).pipe(Effect.flatMap(Deferred.await))

/**
 * Encodes calls as one chain, and gives a function that sends the chain in one write. The agent runs no call after the first failure. Throws
 * `Unencodable` before it makes any call. `last` is the frame of an opener at the chain's end.
 */
const encodeChain = (connection: Connection, calls: ReadonlyArray<Call<unknown>>) => {
  const links = [Calls.chain({ on: 1 }), ...calls, Calls.chain({ on: 0 })].map((call) => [call, call.encode()] as const)
  return (last: ReadonlyArray<Buffer>) => {
    const made = links.map(([call, payload]) => connection.make(call, payload))
    const frames = made.map(({ frame }) => frame)
    for (const frame of [...frames.slice(0, -1), ...last, ...frames.slice(-1)]) connection.send(frame)
    return made.slice(1, -1).map(({ result }) => result)
  }
}

/** Results in order, so that the first failure is reported and not a call that it cancelled. */
const awaitAll = <A, E>(results: ReadonlyArray<Deferred.Deferred<A, E>>) => Effect.forEach(results, Deferred.await)

export type ResultsOf<C extends ReadonlyArray<Call<unknown>>> = {
  readonly [K in keyof C]: C[K] extends Call<infer A> ? A : never
}

export const chain = <const C extends ReadonlyArray<Call<unknown>>>(connection: Connection, calls: C) =>
  encoding(connection, unencodableFor("chain"), () => encodeChain(connection, calls)([])).pipe(
    Effect.flatMap(awaitAll),
    Effect.map((results) => results as unknown as ResultsOf<C>)
  )

/** A stream to open: its frame and its behaviour on this side. */
export interface Opener<A> {
  readonly message: Message<A>
  readonly fields: A
  readonly begin: StreamBegin
}

interface OpenOptions<E> {
  /** Calls before it, as a chain; none: no chain. */
  readonly after: ReadonlyArray<Call<unknown>>
  readonly unencodable: (why: Unencodable) => E
  readonly refused: (refused: Refused) => E
}

interface SentOpener {
  readonly stream: GuestStream
  readonly results: ReturnType<ReturnType<typeof encodeChain>>
}

/** Whether a message opens a connection or a watch, which is no request once it has started. */
export const isLasting = (kind: number) =>
  kind === HostMessage.Connect.kind || kind === HostMessage.Accept.kind || kind === HostMessage.Watch.kind

const sendNow = <A, E>(connection: Connection, opener: Opener<A>, { after, unencodable }: OpenOptions<E>) =>
  encodeNow(connection, unencodable, (): SentOpener => {
    const { fields, kind } = opener.message
    const frame = encodeControl(0, kind, fields, opener.fields)
    const sendChain = after.length === 0 ? undefined : encodeChain(connection, after)
    const stream = connection.open(opener.begin, frame)
    if (!isLasting(kind)) connection.outbox.transfers.requested(stream.ended)
    if (sendChain !== undefined) return { stream, results: sendChain([frame]) }
    connection.send(frame)
    return { stream, results: [] }
  })

const sendOpener = <A, E>(connection: Connection, opener: Opener<A>, options: OpenOptions<E>) =>
  Effect.suspend(() => Effect.fromResult(sendNow(connection, opener, options)))

const awaitStarted = <E>({ results, stream }: SentOpener, { refused }: OpenOptions<E>) => {
  const started = Effect.mapBoth(stream.started.wait, {
    onFailure: (error) => error._tag === "refused" ? refused(error) : error,
    onSuccess: (pid) => ({ pid, stream })
  })
  return results.length === 0 ? started : Effect.andThen(awaitAll(results), started)
}

/** Opens a stream and waits until it has started. It ends with the scope. */
export const openStream = <A, E>(connection: Connection, opener: Opener<A>, options: OpenOptions<E>) =>
  acquirePlain(sendOpener(connection, opener, options), ({ stream }) => connection.release(stream)).pipe(
    Effect.flatMap((sent) => awaitStarted(sent, options))
  )

/** Opens a stream in this turn of the event loop, in a write of its own. The caller releases it. */
export const openStreamNow = <A, E>(connection: Connection, opener: Opener<A>, options: OpenOptions<E>) =>
  Result.map(sendNow(connection, opener, options), (sent) => {
    connection.outbox.flush()
    return { started: awaitStarted(sent, options), release: () => connection.release(sent.stream) }
  })

/** Opens a stream without a scope, in a write of its own. Returns an effect that waits for its start. */
export const launchStream = <A, E>(connection: Connection, opener: Opener<A>, options: OpenOptions<E>) =>
  Effect.map(Effect.exit(sendOpener(connection, opener, options)), (sent) => {
    if (Exit.isFailure(sent)) return Effect.failCause(sent.cause)
    connection.outbox.flush()
    const { stream } = sent.value
    return awaitStarted(sent.value, options).pipe(
      // A silent agent that comes back would start a process without a client.
      Effect.tapError((failure) => Effect.sync(() => isSilence(failure) && connection.release(stream)))
    )
  })

const isSilence = (failure: unknown) => failure instanceof ChannelFailed && failure.reason === "silent"

/** How a file operation or a connection failed. */
export const operationFailed = (operation: string) => ({ detail, errno, step }: Refused) =>
  new AgentCallFailed({
    operation,
    errno: errnoName(errno),
    detail: escapeGuestText(detail),
    ...(step === "user" ? { isUser: true } : {})
  })

/** Waits for the end of a file operation. */
export const awaitEnd = (
  stream: GuestStream,
  operation: string
): Effect.Effect<ProcessExit, AgentCallFailed | ChannelFailed> =>
  stream.ended.wait.pipe(
    Effect.mapError((error) => error._tag === "refused" ? operationFailed(operation)(error) : error)
  )
