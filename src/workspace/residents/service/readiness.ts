import { Deferred, Effect, Exit, Fiber, Scope, Stream } from "effect"
import * as path from "node:path"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import type { GuestSocket } from "../../../lib/guest-channel/model/network.ts"
import type { SpawnRequest } from "../../../lib/guest-channel/model/process.ts"
import { withTimeout } from "../../../system/waits/effects.ts"
import { monotonicMs } from "../../../system/waits/time.ts"
import type { Check } from "./state.ts"

/** Minimum time between two tries, in ms, so that pyro notices readiness within 50 ms. */
const EVERY_MS = 25
/** Minimum pause after a try, as a multiple of its duration, so that tries take at most a fifth of the guest's time. */
const PAUSE_SHARE = 4
/** Maximum time of a try, in ms. A person's script has only the limit of its service, because it may start something. */
const ATTEMPT_MS = 10_000
/** Number of bytes that pyro keeps of the end of a script's output. */
const KEPT_BYTES = 2_048
/** Maximum sizes of a status line and of a response that pyro reads, in bytes. */
const MAX_STATUS_LINE = 1_024
const MAX_ANSWER = 1_048_576
/** Maximum wait until a server ends a connection, in ms. The check already has its answer. */
const LEAVE_MS = 1_000

/** Connects to a port of the guest's loopback: IPv4 first, then IPv6. */
const connect = (channel: GuestChannel, port: number, families: ReadonlyArray<4 | 6> = [4, 6]) => {
  const [first, ...others] = families.map((family) => channel.connectPort({ port, family }))
  return others.reduce(
    (tried, next) => Effect.catchTag(tried, "AgentCallFailed", () => next),
    first!
  )
}

/** Opens a connection for one question. Servers log a reset connection as an error, so pyro closes it as a client does. */
const visit = <A, E>(
  connected: Effect.Effect<GuestSocket, AgentCallFailed | ChannelFailed, Scope.Scope>,
  /** `left` completes with the server's last byte. */
  ask: (socket: GuestSocket) => Effect.Effect<{ readonly answer: A; readonly left: Effect.Effect<unknown, unknown> }, E>
): Effect.Effect<A, E | AgentCallFailed | ChannelFailed> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { answer, left } = yield* restore(Scope.provide(Effect.flatMap(connected, ask), scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      yield* withTimeout(LEAVE_MS, Effect.exit(left)).pipe(
        Effect.ensuring(Scope.close(scope, Exit.void)),
        Effect.forkDetach
      )
      return answer
    })
  )

/** Whether something in the guest accepts connections on a port. */
export const isListening = (channel: GuestChannel, port: number): Effect.Effect<boolean, ChannelFailed> =>
  visit(
    connect(channel, port),
    ({ closed, end, received }) =>
      Effect.succeed({ answer: true, left: Effect.all([end, Stream.runDrain(received), closed]) })
  ).pipe(Effect.catchTag("AgentCallFailed", () => Effect.succeed(false)))

/** Reads a response up to a limit. Gives the first line as soon as it arrives. */
const statusOf = ({ closed, end, received }: GuestSocket) =>
  Effect.gen(function*() {
    const status = yield* Deferred.make<string>()
    let head = Buffer.alloc(0)
    let bytes = 0
    const reading = yield* Stream.runForEachWhile(received, (piece) =>
      Effect.sync(() => {
        bytes += piece.length
        if (head.length < MAX_STATUS_LINE && !head.includes(0x0a)) {
          head = Buffer.concat([head, piece.subarray(0, MAX_STATUS_LINE)])
        }
        const isKnown = head.length >= MAX_STATUS_LINE || head.includes(0x0a)
        if (isKnown) Deferred.doneUnsafe(status, Effect.succeed(head.toString("latin1")))
        return bytes < MAX_ANSWER
      })).pipe(Effect.ensuring(Deferred.succeed(status, head.toString("latin1"))), Effect.forkDetach)
    return {
      answer: yield* Deferred.await(status),
      left: Effect.all([end, Fiber.await(reading), closed])
    }
  })

/** Whether a GET request of the URL has a response with a status of 200 to 399. */
const answers = (channel: GuestChannel, url: string) => {
  const { host, hostname, pathname, port, search } = new URL(url)
  const families: ReadonlyArray<4 | 6> = hostname === "[::1]" ? [6] : hostname === "127.0.0.1" ? [4] : [4, 6]
  const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: pyro\r\nAccept: */*\r\n` +
    "Connection: close\r\n\r\n"
  return visit(
    connect(channel, port === "" ? 80 : Number(port), families),
    (socket) => Effect.andThen(socket.write(Buffer.from(request, "latin1")), statusOf(socket))
  ).pipe(
    Effect.map((line) => {
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1])
      return status >= 200 && status < 400
    }),
    Effect.catchTag("AgentCallFailed", () => Effect.succeed(false))
  )
}

/** Errors of opening a path that exists: a directory, a socket, an unreadable file, a link to another tree. */
const EXISTING: ReadonlySet<string> = new Set(["EISDIR", "EINVAL", "ENXIO", "EACCES", "EXDEV"])

const exists = (channel: GuestChannel, file: string) => {
  const { base, dir } = path.posix.parse(path.posix.resolve("/workspace", file))
  return Effect.scoped(channel.openFile({ root: dir, path: base === "" ? "." : base, limit: 1 })).pipe(
    Effect.as(true),
    Effect.catchTag("AgentCallFailed", ({ errno }) => Effect.succeed(EXISTING.has(errno)))
  )
}

/** The last try of a check. */
export interface LastTry {
  /** How the try ended. Absent while it runs. */
  end?: string
  /** The end of the output. */
  output: Buffer
}

/** Whether a script ends with status 0. The end of the try kills the script with all its processes. */
const succeeds = (
  channel: GuestChannel,
  request: SpawnRequest,
  note: (last: LastTry) => void
): Effect.Effect<boolean, ChannelFailed> =>
  Effect.scoped(Effect.gen(function*() {
    const process = yield* channel.spawn(request)
    const last: LastTry = { output: Buffer.alloc(0) }
    note(last)
    yield* process.forEachOutput(({ bytes }) =>
      Effect.sync(() => void (last.output = Buffer.concat([last.output, bytes]).subarray(-KEPT_BYTES)))
    )
    const exit = yield* process.exit
    last.end = exit._tag === "exited" ? `ended with status ${exit.code}` : "was killed"
    return exit._tag === "exited" && exit.code === 0
  })).pipe(Effect.catchIf((failure) => failure._tag !== "ChannelFailed", () => Effect.succeed(false)))

interface Probe {
  /** The request that runs its script with the environment and the user of the service. */
  readonly command: (check: Extract<Check, { readonly _tag: "command" }>) => SpawnRequest
  /** Gets each try of a script. */
  readonly note: (last: LastTry) => void
  /** Time between two tries, in ms. Absent: short, and longer after a try that took long. */
  readonly intervalMs: number | undefined
}

const attempt = (channel: GuestChannel, check: Check, { command, note }: Probe) => {
  switch (check._tag) {
    case "tcp":
      return isListening(channel, check.port)
    case "http":
      return answers(channel, check.url)
    case "file":
      return exists(channel, check.path)
    case "command":
      return succeeds(channel, command(check), note)
  }
}

/** Tries a check until it succeeds, also in a guest that does not answer for a while. */
export const untilReady = (
  channel: GuestChannel,
  check: Check,
  probe: Probe
): Effect.Effect<void> => {
  const limitMs = check._tag === "command" ? check.timeoutMs ?? Infinity : ATTEMPT_MS
  const once = Effect.gen(function*() {
    const begin = yield* monotonicMs
    const isReady = yield* attempt(channel, check, probe).pipe(
      Effect.timeoutOrElse({ duration: limitMs, orElse: () => Effect.succeed(false) }),
      Effect.orElseSucceed(() => false)
    )
    const pauseMs = probe.intervalMs ?? Math.max(EVERY_MS, PAUSE_SHARE * ((yield* monotonicMs) - begin))
    if (!isReady) yield* Effect.sleep(pauseMs)
    return isReady
  })
  return Effect.asVoid(Effect.repeat(once, { until: (isReady) => isReady }))
}
