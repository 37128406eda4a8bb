import { type Cause, Deferred, Effect, Option, Queue, type Scope, Stream } from "effect"
import { randomBytes } from "node:crypto"
import type { Duplex } from "node:stream"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import { named } from "../../contract/text/names.ts"
import { clockReader } from "../../system/waits/time.ts"
import { changeFiles } from "./files/change-files.ts"
import { copyFile, doFileWork, statFile } from "./files/file-work.ts"
import * as Files from "./files/operations.ts"
import { watchFiles } from "./files/watch.ts"
import { type AgentEvent, type Call, Calls } from "./model/calls.ts"
import type { AgentCallFailed } from "./model/errors.ts"
import type {
  CompareRequest,
  FileChange,
  ReadManyRequest,
  ReadRequest,
  WalkRequest,
  WriteRequest
} from "./model/files.ts"
import type { GuestString } from "./model/guest-string.ts"
import type { NetworkRequest, PortRequest } from "./model/network.ts"
import type { GuestProcess, SpawnRequest } from "./model/process.ts"
import { connectPort, forEachRequest } from "./network/connections.ts"
import { launch, processOf, spawn, type SpawnFailed } from "./process/process.ts"
import { Connection, type Greeting } from "./session/connection.ts"
import { chain, request, type Silence, silently } from "./session/open.ts"
import { DEFAULT_SILENCE_MS, ENDING_SILENCE_MS, type SilenceOptions, watchSilence } from "./session/silence.ts"

export interface ConnectOptions {
  /** Opens the byte stream to the agent, for the scope of the channel. */
  readonly open: Effect.Effect<Duplex, ChannelFailed, Scope.Scope>
  /**
   * Whether the stream may have a part of an older connection's frame: always, except for a guest that was frozen while idle and has just
   * been restored.
   */
  readonly takeover: boolean
  /** Kills and forgets the processes of older connections. @default false */
  readonly forget?: boolean | undefined
  /** Processes of older connections to keep, by id; the others are killed and released. @default all */
  readonly keep?: ((id: string) => boolean) | undefined
  /** Time for the agent's answer, in `ms`. @default 10 000 */
  readonly helloTimeoutMs?: number | undefined
  /** Maximum time without a byte from the agent while a request waits for it, in `ms`. @default 20 000 */
  readonly silenceMs?: number | undefined
  /** The same while `unlessSilent` runs, in `ms`. @default 5 000 */
  readonly endingSilenceMs?: number | undefined
  /** Explains the silence before requests fail (`SilenceOptions.explain`). @default no explanation */
  readonly explainSilence?: SilenceOptions["explain"] | undefined
}

type CallResultOf<C> = C extends Call<infer A> ? Effect.Effect<A, AgentCallFailed | ChannelFailed> : never
/** Every call of the agent as a method that makes and sends it. */
type CallMethods = {
  readonly [K in keyof typeof Calls]: (
    ...fields: Parameters<(typeof Calls)[K]>
  ) => CallResultOf<ReturnType<(typeof Calls)[K]>>
}

const callMethods = (connection: Connection): CallMethods =>
  named<unknown>(
    Object.entries(Calls).map(([name, make]) =>
      [name, (fields: never) => request(connection, (make as (fields: never) => Call<unknown>)(fields))] as const
    )
  ) as unknown as CallMethods

const adopt = (
  connection: Connection,
  { adoptable }: Greeting,
  id: string,
  known: Readonly<Record<"stdout" | "stderr", number>> | undefined
): Effect.Effect<Option.Option<GuestProcess>, ChannelFailed, Scope.Scope> =>
  Effect.suspend(() => {
    if (connection.failure !== undefined) return Effect.fail(connection.failure)
    const found = adoptable.get(id)
    if (found === undefined) return Effect.succeed(Option.none())
    const { resumable, stream } = found
    adoptable.delete(id)
    if (known !== undefined) stream.passOver(known)
    const process = processOf(connection, stream, {
      id,
      pid: resumable.pid,
      stdinOffset: stream.inputOffset
    })
    return Effect.acquireRelease(
      Effect.succeed(Option.some(process)),
      () => Effect.sync(() => connection.release(stream))
    )
  })

const channelOf = (
  connection: Connection,
  greeting: Greeting,
  events: Queue.Dequeue<AgentEvent, Cause.Done>,
  endingSilenceMs = ENDING_SILENCE_MS
) => ({
  hello: {
    /** Hash of the agent's sources. */
    build: greeting.build,
    /** Streams of older connections. */
    streams: Array.from(greeting.adoptable.values(), ({ resumable }) => resumable)
  },
  call: callMethods(connection),
  request: <A>(call: Call<A>) => request(connection, call),
  /** Runs calls in one write and one round trip. The guest runs none after the first failure, which is the result. */
  chain: <const C extends ReadonlyArray<Call<unknown>>>(calls: C) => chain(connection, calls),
  spawn: (wanted: SpawnRequest) =>
    spawn(connection, wanted) as Effect.Effect<GuestProcess, ChannelFailed | SpawnFailed, Scope.Scope>,
  /**
   * Starts a process before anything else happens. Gives an effect that waits for its start or its failure. The process has no scope: it runs
   * until its release, also after the end of this channel, and a later channel can adopt it.
   */
  launch: (wanted: SpawnRequest) => launch(connection, wanted),
  /** `chain` and `spawn` in one write and one round trip. If a call fails, the guest has started nothing. */
  spawnAfter: (calls: ReadonlyArray<Call<unknown>>, wanted: SpawnRequest) => spawn(connection, wanted, calls),
  /**
   * Adopts a process of an older connection, by its id; none if the agent has no such process. Once. Output continues at the last
   * acknowledgement, or at `known` if that is later: what a log has already.
   */
  adopt: (id: string, known?: Readonly<Record<"stdout" | "stderr", number>>) => adopt(connection, greeting, id, known),
  read: (wanted: ReadRequest) => Files.read(connection, wanted),
  openFile: (wanted: ReadRequest) => Files.openFile(connection, wanted),
  write: <E, R>(target: WriteRequest, content: Stream.Stream<Uint8Array, E, R>) =>
    Files.write(connection, target, content),
  writeWithVersion: <E, R>(target: WriteRequest, content: Stream.Stream<Uint8Array, E, R>) =>
    Files.writeWithVersion(connection, target, content),
  walk: (wanted: WalkRequest) => Files.walk(connection, wanted),
  compare: (wanted: CompareRequest) => Files.compare(connection, wanted),
  readMany: (wanted: ReadManyRequest) => Files.readMany(connection, wanted),
  statFile: (wanted: Parameters<typeof statFile>[1]) => statFile(connection, wanted),
  copyFile: (wanted: Parameters<typeof copyFile>[1]) => copyFile(connection, wanted),
  doFileWork: (work: Parameters<typeof doFileWork>[1]) => doFileWork(connection, work),
  watchFiles: (wanted: Parameters<typeof watchFiles>[1]) => watchFiles(connection, wanted),
  changeFiles: (root: GuestString, changes: ReadonlyArray<FileChange>) => changeFiles(connection, root, changes),
  connectPort: (wanted: PortRequest) => connectPort(connection, wanted),
  /**
   * Requests of the guest's programs for the network, once `call.network` has turned it on. `take` gets each request in the callback of its
   * frame, before later frames; the next request waits for the returned effect. One consumer. A request waits until it is answered; at
   * most 1,024 connections and 256 look-ups are open. Ends with the channel. Requests that an older connection left open come again.
   */
  forEachNetworkRequest: (take: (request: NetworkRequest) => Effect.Effect<void> | undefined) =>
    forEachRequest(connection, take),
  /**
   * Runs `use` while nothing is sent to the guest. The guest gets and answers `last` before. It gets `first` after the end of `use`, in any
   * case and before messages of others; nobody waits for these answers. `use` can ask how many bytes have come so far.
   */
  silently: <A, E, R>(around: Silence, use: (receivedBytes: () => number) => Effect.Effect<A, E, R>) =>
    silently(connection, around, use(() => connection.receivedBytes)),
  /**
   * Moves to another byte stream of the same agent within `silently`: `leave` when no byte is on its way, then `moveTo`, which waits for the
   * agent's answer and gives false if the stream ends before. The new stream then belongs to the channel.
   */
  leave: Effect.sync(() => connection.leave()),
  moveTo: (socket: Duplex) => connection.moveTo(socket),
  /** Fails the channel, for a caller that could not move it. */
  fail: (detail: string) => Effect.sync(() => connection.fail(detail)),
  /**
   * Runs `use` with the shorter deadline of silence, for a caller that ends the guest in any case. A slow request continues: its agent
   * answers probes.
   */
  unlessSilent: <A, E, R>(use: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const endWithin = (ms: number) => Effect.sync(() => (connection.endingMs = ms))
    return Effect.acquireUseRelease(endWithin(endingSilenceMs), () => use, () => endWithin(Infinity))
  },
  /** The agent's log, at most the last 64 unread lines. Ends with the channel. */
  events: Stream.fromQueue(events),
  /** The agent sent nothing for so long that its requests failed, and nothing since. */
  isSilent: () => connection.silentMs > 0,
  /** Never succeeds; fails when the channel does. */
  failed: Deferred.await(connection.failed)
})

/**
 * The host's end of one connection to a guest's agent. Its effects send when they are run, in this order; effects that run without waiting for
 * each other share one write and one round trip. If the connection is lost, or the guest breaks the protocol, everything pending and everything
 * later fails with `ChannelFailed`. While the agent sends nothing (`watchSilence`), requests fail in the same way with the reason `silent`;
 * running commands continue.
 */
export type GuestChannel = ReturnType<typeof channelOf>

const DEFAULT_HELLO_TIMEOUT_MS = 10_000

/** Greets the agent and waits for its answer. The end of the scope fails pending requests. */
const connect = (options: ConnectOptions): Effect.Effect<GuestChannel, ChannelFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const timeoutMs = options.helloTimeoutMs ?? DEFAULT_HELLO_TIMEOUT_MS
    const events = yield* Queue.sliding<AgentEvent, Cause.Done>(64)
    const socket = yield* options.open
    const { monotonicMs } = yield* clockReader
    const connection = yield* Effect.acquireRelease(
      Effect.sync(() =>
        new Connection(socket, { nonce: randomBytes(16), keep: options.keep ?? (() => true), events, monotonicMs })
      ),
      (connection) => Effect.sync(() => connection.close())
    )
    connection.greet({ takeover: options.takeover, forget: options.forget ?? false })
    const greeting = yield* Deferred.await(connection.greeted).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () =>
          Effect.fail(new ChannelFailed({ detail: `the guest's agent did not answer within ${timeoutMs} ms` }))
      })
    )
    yield* watchSilence(connection, {
      limitMs: options.silenceMs ?? DEFAULT_SILENCE_MS,
      explain: options.explainSilence ?? Effect.succeed("")
    }).pipe(Effect.forkScoped)
    return channelOf(connection, greeting, events, options.endingSilenceMs)
  })

export const GuestChannel = { connect } as const
