import { Effect, Exit, Schedule, Scope } from "effect"
import * as net from "node:net"
import * as path from "node:path"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import { doorLine, type Identity } from "../contract/wire/identity.ts"
import { ensureDaemon, type StartDaemon } from "../sdk/model/start-daemon.ts"
import { versionOf } from "../system/files/atomic-file.ts"
import { readFile } from "../system/files/content.ts"
import { ensureFolder } from "../system/files/entries.ts"
import { toHostErrorOf } from "../system/files/failure.ts"
import { daemonFiles, Paths } from "../system/files/Paths.ts"
import { openRotatedLog } from "../system/files/rotated-log.ts"
import { connectUnix } from "../system/processes/unix-socket.ts"
import { clockReader } from "../system/waits/time.ts"
import type { Admitted, Behind, Bytes, Door, DoorLimits, DoorTls, Refusal } from "./door/listener.ts"
import { OPEN_METRICS, openMetrics } from "./metrics.ts"
import { isExpired, listTokens, matching, type StoredToken, tokenFolder } from "./tokens.ts"

/** Where a door is, and what it shows. */
export interface ListenOptions {
  /** `HOST:PORT`. Port 0 is a free one of the kernel's choice. */
  readonly listen: string
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
  readonly clientCa?: string | undefined
  readonly limits?: Partial<DoorLimits>
}

const LIMITS: DoorLimits = {
  perAddress: 64,
  inAll: 1_024,
  timeMs: 10_000,
  perToken: 64,
  lines: 1_024,
  // The client sends at most 262144 in one.
  messageBytes: 1_048_576
}

/** How often the tokens are looked at, in ms: the connections of a revoked one end within a second. */
const LOOK_MS = 250

/** Turns of `LOOK_MS` between two looks at the certificate's file, which is renewed now and then. */
const RENEW_TURNS = 40

/** The address that an option names. */
const placeOf = (listen: string) => {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(listen) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

const isLoopback = (host: string) => host === "::1" || (net.isIPv4(host) && host.startsWith("127."))

const checked = ({ clientCa, listen, tlsCert, tlsKey }: ListenOptions) => {
  const wrong = (field: string, detail: string) => new InvalidRequest({ field, detail })
  const place = placeOf(listen)
  if (place === undefined) return wrong("--listen", "must be HOST:PORT, such as 0.0.0.0:7340 or [::1]:7340")
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    return wrong("--tls-cert", "needs --tls-key, and --tls-key needs --tls-cert")
  }
  if (clientCa !== undefined && tlsCert === undefined) return wrong("--client-ca", "needs --tls-cert and --tls-key")
  return tlsCert === undefined && !isLoopback(place.host)
    ? wrong("--listen", `${place.host} is not this computer's loopback, so it needs --tls-cert and --tls-key`)
    : Effect.succeed(place)
}

const tlsOf = ({ clientCa, tlsCert, tlsKey }: ListenOptions): Effect.Effect<DoorTls | undefined, InvalidRequest> => {
  if (tlsCert === undefined || tlsKey === undefined) return Effect.undefined
  const file = (field: string, path: string) =>
    Effect.mapError(readFile(path), ({ message }) => new InvalidRequest({ field, detail: message }))
  return Effect.all({
    cert: file("--tls-cert", tlsCert),
    key: file("--tls-key", tlsKey),
    ...(clientCa === undefined ? {} : { clientCa: file("--client-ca", clientCa) })
  })
}

/** A line for people and for a log: what happened at the door. */
export type Event =
  | { readonly event: "opened"; readonly token: string; readonly tenant: string; readonly address: string }
  | { readonly event: "refused"; readonly status: number; readonly reason: string; readonly address: string }
  | { readonly event: "closed"; readonly token: string; readonly address: string; readonly reason: string } & Bytes

/** Maximum refusals in a minute that are logged one by one: strangers must not fill the disk. */
const MOST_REFUSALS = 60

/** Writes what happens at the door to `serve/connections.jsonl` of the state directory. */
export const doorLog = Effect.gen(function*() {
  const { stateDir } = yield* Paths
  const folder = path.join(stateDir, "serve")
  yield* Effect.mapError(ensureFolder(folder), toHostErrorOf(stateDir))
  const { nowMs } = yield* clockReader
  const log = openRotatedLog(path.join(folder, "connections.jsonl"))
  yield* Effect.addFinalizer(() => Effect.sync(log.close))
  let minute = 0
  let refusals = 0
  return (event: Event) => {
    const ms = nowMs()
    if (event.event === "refused") {
      if (Math.floor(ms / 60_000) !== minute) [minute, refusals] = [Math.floor(ms / 60_000), 0]
      if (++refusals > MOST_REFUSALS) return
    }
    try {
      log.append({ at: new Date(ms).toISOString(), ...event })
    } catch {
      // A full disk ends no connection. The daemon's audit log has the requests.
    }
  }
})

interface Parts {
  readonly start: StartDaemon
  readonly record: (event: Event) => void
}

/** The tokens as they are on disk. */
const makeTokens = Effect.gen(function*() {
  const folder = yield* tokenFolder
  let seen: string | undefined
  let all: ReadonlyArray<StoredToken> = []
  const look = Effect.suspend(() => {
    const version = versionOf(folder)
    if (version === seen && version !== undefined) return Effect.void
    return Effect.map(listTokens, (listed) => {
      all = listed
      seen = version
    })
  })
  return { look, all: () => all }
})

const UNKNOWN: Refusal = { status: 401, text: "the token is unknown, revoked or expired" }

/** What a client learns of a failed start of the daemon: nothing of this machine. */
const connectDaemon = (start: StartDaemon, identity: Identity) =>
  Effect.gen(function*() {
    yield* ensureDaemon(start)
    const { door } = yield* daemonFiles
    // A Scope of its own, which ends with the line and not with the door.
    const own = yield* Scope.fork(yield* Effect.scope)
    const socket = yield* Scope.provide(connectUnix(door), own)
    const run = Effect.runForkWith(yield* Effect.context<never>())
    socket.once("close", () => void run(Scope.close(own, Exit.void)))
    socket.write(doorLine(identity))
    return socket
  })

const bearerOf = (authorization: string | undefined) => /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]

/** Whether the daemon takes connections of doors. Starts none. */
const isReady = Effect.flatMap(daemonFiles, ({ door }) => Effect.scoped(connectUnix(door))).pipe(
  Effect.as(true),
  Effect.orElseSucceed(() => false)
)

const plain = (status: number, text: string) => ({ status, type: "text/plain; charset=utf-8", body: `${text}\n` })

/** The answer to a monitor. `metrics`: undefined if the monitor's token is none of an owner. */
const answerTo = (path: string, metrics: () => string | undefined) => {
  switch (path) {
    case "/healthz":
      return Effect.succeed(plain(200, "ok"))
    case "/readyz":
      return Effect.map(
        isReady,
        (ready) => ready ? plain(200, "ready") : plain(503, "the daemon does not run; the next client starts it")
      )
    case "/metrics": {
      const body = metrics()
      return Effect.succeed(
        body === undefined
          ? plain(401, "metrics need a token of the role owner")
          : { status: 200, type: OPEN_METRICS, body }
      )
    }
    default:
      return Effect.succeed(plain(404, "there is no such page"))
  }
}

/** Opens a door until the Scope closes: TLS, tokens, and a line to the daemon for each client. Gives the port. */
export const openDoor = (
  options: ListenOptions,
  { record, start }: Parts
): Effect.Effect<{ readonly port: number; readonly door: Door }, PyroError, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const place = yield* checked(options)
    const tls = yield* tlsOf(options)
    const tokens = yield* makeTokens
    yield* tokens.look
    const { nowMs } = yield* clockReader
    const context = yield* Effect.context<Paths | Scope.Scope>()
    const isGood = (id: string) => tokens.all().some((one) => one.id === id && !isExpired(one, nowMs()))
    const admit = (authorization: string | undefined, address: string): Admitted | Refusal => {
      const text = bearerOf(authorization)
      const token = text === undefined ? undefined : matching(tokens.all(), text)
      if (token === undefined || isExpired(token, nowMs())) {
        const reason = text === undefined ? "no token" : token === undefined ? "unknown token" : "expired token"
        record({ event: "refused", status: UNKNOWN.status, reason, address })
        return UNKNOWN
      }
      const { id, name, role, tenant } = token
      record({ event: "opened", token: name, tenant, address })
      const identity: Identity = { tenant, role, token: id, name, address }
      return { token: id, open: () => Effect.runPromiseWith(context)(connectDaemon(start, identity)) }
    }
    const behind: Behind = {
      admit,
      answer: ({ authorization, path }) =>
        Effect.runPromiseWith(context)(answerTo(path, () => {
          const text = bearerOf(authorization)
          const token = text === undefined ? undefined : matching(tokens.all(), text)
          return token?.role === "owner" && !isExpired(token, nowMs()) ? openMetrics(door.counts()) : undefined
        })),
      ended: (id, address, reason, bytes) => {
        const name = tokens.all().find((one) => one.id === id)?.name ?? id
        record({ event: "closed", token: name, address, reason, ...bytes })
      }
    }
    const { listen } = yield* Effect.promise(() => import("./door/listener.ts"))
    const door = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => listen({ ...place, tls, limits: { ...LIMITS, ...options.limits } }, behind),
        catch: (cause) =>
          new InvalidRequest({ field: "--listen", detail: `${options.listen}: ${(cause as Error).message}` })
      }),
      (open) => Effect.promise(() => open.close())
    )
    let turns = 0
    let shown = versionOf(options.tlsCert ?? "")
    const renew = Effect.suspend(() => {
      if (options.tlsCert === undefined || ++turns % RENEW_TURNS !== 0) return Effect.void
      const version = versionOf(options.tlsCert)
      if (version === undefined || version === shown) return Effect.void
      shown = version
      return Effect.map(tlsOf(options), (tls) => tls === undefined ? undefined : door.renew(tls))
    })
    yield* Effect.andThen(tokens.look, Effect.sync(() => door.endUnless(isGood))).pipe(
      Effect.andThen(renew),
      Effect.catchCause((cause) => Effect.logError("the tokens cannot be read", cause)),
      Effect.repeat(Schedule.spaced(LOOK_MS)),
      Effect.forkScoped
    )
    return { port: door.port, door }
  })
