import { type Cause, Deferred, Effect, Option, Queue, type Scope, Stream } from "effect"
import { randomBytes } from "node:crypto"
import type { Duplex } from "node:stream"
import {
  ChannelFailed,
  type CommandNotExecutable,
  type CommandNotFound,
  type CommandNotStarted
} from "../contract/errors/errors.ts"
import { named } from "../contract/text/names.ts"
import { clockReader } from "../system/waits/time.ts"
import { type AgentEvent, type Call, Calls } from "./calls.ts"
import type { AgentCallFailed } from "./errors.ts"
import type {
  CompareRequest,
  FileChange,
  OpenFile,
  ReadManyRequest,
  ReadRequest,
  WalkRequest,
  WriteRequest,
  WrittenFile
} from "./files.ts"
import * as ChangeFiles from "./files/change-files.ts"
import * as Files from "./files/operations.ts"
import type { GuestSocket, NetworkRequest, PortRequest } from "./network.ts"
import { connectPort, forEachRequest, requestsOf } from "./network/connections.ts"
import type { GuestProcess, SpawnRequest } from "./process.ts"
import { launch, spawn, StreamedProcess } from "./process/process.ts"
import { Connection } from "./session/connection.ts"
import { chain, request, type ResultsOf, type Silence, silently } from "./session/open.ts"
import { DEFAULT_SILENCE_MS, ENDING_SILENCE_MS, type SilenceOptions, watchSilence } from "./session/silence.ts"
import type { GuestString } from "./wire/control.ts"
import type { ResumableStream } from "./wire/hello.ts"

export interface ConnectOptions {
  /** Yields the byte stream to the agent; it lives as long as the channel's scope. */
  readonly open: Effect.Effect<Duplex, ChannelFailed, Scope.Scope>
  /**
   * Whether the stream may hold what an older connection left half sent: always, but for a guest that was frozen
   * while idle and has just been restored.
   */
  readonly takeover: boolean
  /** Kills and forgets everything that older connections left running. @default false */
  readonly forget?: boolean | undefined
  /** Which processes of older connections to keep, by id; the others are killed and released. @default all */
  readonly keep?: ((id: string) => boolean) | undefined
  /** How long the agent may take to answer, in `ms`. @default 10 000 */
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
export type CallMethods = {
  readonly [K in keyof typeof Calls]: (
    ...fields: Parameters<(typeof Calls)[K]>
  ) => CallResultOf<ReturnType<(typeof Calls)[K]>>
}

/**
 * The host's end of one connection to a guest's agent. Effects of it send when they are run, in the order in which
 * they are run; those run without waiting for each other share one write and one round trip. A connection that is
 * lost, or whose guest breaks the protocol, fails everything pending and everything later with `ChannelFailed`. While the agent sends
 * nothing (`watchSilence`) requests fail in the same way with the reason `silent`; commands that run go on.
 */
export interface GuestChannel {
  readonly hello: {
    /** Hash of the agent's sources. */
    readonly build: string
    /** Streams of older connections. */
    readonly streams: ReadonlyArray<ResumableStream>
  }
  readonly call: CallMethods
  readonly request: <A>(call: Call<A>) => Effect.Effect<A, AgentCallFailed | ChannelFailed>
  /**
   * Runs calls in one write and one round trip. The guest runs none after the first that fails, and that one's
   * failure is the result.
   */
  readonly chain: <const C extends ReadonlyArray<Call<unknown>>>(
    calls: C
  ) => Effect.Effect<ResultsOf<C>, AgentCallFailed | ChannelFailed>
  readonly spawn: (
    request: SpawnRequest
  ) => Effect.Effect<
    GuestProcess,
    ChannelFailed | CommandNotExecutable | CommandNotFound | CommandNotStarted,
    Scope.Scope
  >
  /**
   * Has a process started before anything else is done, and gives what waits until it has, or could not. It is nobody's scope's: it goes
   * on until it is released, also when this channel ends, for a later one to adopt.
   */
  readonly launch: (
    request: SpawnRequest
  ) => Effect.Effect<
    Effect.Effect<GuestProcess, ChannelFailed | CommandNotExecutable | CommandNotFound | CommandNotStarted>
  >
  /** `chain` and `spawn` in one write and one round trip: where a call fails, the guest has started nothing. */
  readonly spawnAfter: (
    calls: ReadonlyArray<Call<unknown>>,
    request: SpawnRequest
  ) => Effect.Effect<
    GuestProcess,
    AgentCallFailed | ChannelFailed | CommandNotExecutable | CommandNotFound | CommandNotStarted,
    Scope.Scope
  >
  /**
   * Takes up a process that an older connection left, by its id; nothing when the agent has none of that id. Once. Output
   * goes on where it was last acknowledged, or at `known` where that is further: what a log has already.
   */
  readonly adopt: (
    id: string,
    known?: { readonly stdout: number; readonly stderr: number }
  ) => Effect.Effect<Option.Option<GuestProcess>, ChannelFailed, Scope.Scope>
  readonly read: (request: ReadRequest) => Stream.Stream<Uint8Array, AgentCallFailed | ChannelFailed>
  readonly openFile: (
    request: ReadRequest
  ) => Effect.Effect<OpenFile, AgentCallFailed | ChannelFailed, Scope.Scope>
  readonly write: <E, R>(
    request: WriteRequest,
    content: Stream.Stream<Uint8Array, E, R>
  ) => Effect.Effect<void, AgentCallFailed | ChannelFailed | E, R>
  readonly writeWithVersion: <E, R>(
    request: WriteRequest,
    content: Stream.Stream<Uint8Array, E, R>
  ) => Effect.Effect<WrittenFile, AgentCallFailed | ChannelFailed | E, R>
  readonly walk: (request: WalkRequest) => ReturnType<typeof Files.walk>
  readonly compare: (request: CompareRequest) => ReturnType<typeof Files.compare>
  readonly readMany: (request: ReadManyRequest) => ReturnType<typeof Files.readMany>
  readonly changeFiles: (
    root: GuestString,
    changes: ReadonlyArray<FileChange>
  ) => ReturnType<typeof ChangeFiles.changeFiles>
  readonly connectPort: (
    request: PortRequest
  ) => Effect.Effect<GuestSocket, AgentCallFailed | ChannelFailed, Scope.Scope>
  /**
   * Requests of the guest's programs for the network, once `call.network` has turned it on. One consumer. A request waits until it is
   * answered; at most 1,024 connections and 256 look-ups are open. Ends with the channel. Requests that an older connection left open come
   * again.
   */
  readonly networkRequests: Stream.Stream<NetworkRequest>
  /**
   * The same without what a `Stream` costs: `take` gets each request in the callback of its frame, before anything that comes behind it. The
   * next request waits for the returned effect.
   */
  readonly forEachNetworkRequest: (
    take: (request: NetworkRequest) => Effect.Effect<void> | undefined
  ) => Effect.Effect<void>
  /**
   * Runs `use` while the guest is sent nothing: `last` is what it gets, and answers, before, and `first` what it gets after, however `use`
   * ended, before what others sent meanwhile. Nobody waits for the answers to that. `use` is given how many bytes have come so far.
   */
  readonly silently: <A, E, R>(
    around: Silence,
    use: (receivedBytes: () => number) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, AgentCallFailed | ChannelFailed | E, R>
  /**
   * Runs `use` with the shorter deadline of silence, for a caller who ends the guest in any case. A request that is merely slow goes on:
   * its agent answers probes.
   */
  readonly unlessSilent: <A, E, R>(use: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** The agent's log, at most the last 64 unread lines. Ends with the channel. */
  readonly events: Stream.Stream<AgentEvent>
  /** The agent sent nothing for so long that its requests failed, and nothing since. */
  readonly isSilent: () => boolean
  /** Never succeeds; fails when the channel does. */
  readonly failed: Effect.Effect<never, ChannelFailed>
}

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
    const { build, takenOver } = yield* Deferred.await(connection.greeted).pipe(
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
    const methods = Object.entries(Calls).map(([name, make]) =>
      [name, (fields: never) => request(connection, (make as (fields: never) => Call<unknown>)(fields))] as const
    )
    const adopt: GuestChannel["adopt"] = (id, known) =>
      Effect.suspend(() => {
        if (connection.failure !== undefined) return Effect.fail(connection.failure)
        const found = takenOver.get(id)
        if (found === undefined) return Effect.succeed(Option.none())
        const { resumable, stream } = found
        takenOver.delete(id)
        if (known !== undefined) stream.passOver(known)
        const process = new StreamedProcess(connection, stream, {
          id,
          pid: resumable.pid,
          stdinOffset: stream.inputOffset
        })
        return Effect.acquireRelease(
          Effect.succeed(Option.some(process)),
          () => Effect.sync(() => connection.release(stream))
        )
      })
    return {
      hello: { build, streams: Array.from(takenOver.values(), ({ resumable }) => resumable) },
      call: named<unknown>(methods) as unknown as CallMethods,
      request: (call) => request(connection, call),
      chain: (calls) => chain(connection, calls),
      spawn: (spawned) => spawn(connection, spawned) as ReturnType<GuestChannel["spawn"]>,
      launch: (spawned) => launch(connection, spawned),
      spawnAfter: (calls, spawned) => spawn(connection, spawned, calls),
      adopt,
      read: (wanted) => Files.read(connection, wanted),
      openFile: (wanted) => Files.openFile(connection, wanted),
      write: (target, content) => Files.write(connection, target, content),
      writeWithVersion: (target, content) => Files.writeWithVersion(connection, target, content),
      walk: (wanted) => Files.walk(connection, wanted),
      compare: (wanted) => Files.compare(connection, wanted),
      readMany: (wanted) => Files.readMany(connection, wanted),
      changeFiles: (root, changes) => ChangeFiles.changeFiles(connection, root, changes),
      connectPort: (wanted) => connectPort(connection, wanted),
      networkRequests: requestsOf(connection),
      forEachNetworkRequest: (take) => forEachRequest(connection, take),
      silently: (around, use) => silently(connection, around, use(() => connection.receivedBytes)),
      unlessSilent: (use) => {
        const within = (ms: number) => Effect.sync(() => (connection.endingMs = ms))
        return Effect.acquireUseRelease(
          within(options.endingSilenceMs ?? ENDING_SILENCE_MS),
          () => use,
          () => within(Infinity)
        )
      },
      events: Stream.fromQueue(events),
      isSilent: () => connection.silentMs > 0,
      failed: Deferred.await(connection.failed)
    }
  })

export const GuestChannel = { connect } as const
