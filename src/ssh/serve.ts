import { Cause, Effect, FiberSet, type Option, type Scope, type Stream } from "effect"
import type { AuthContext, Connection } from "ssh2"
import { atClose, withTimeout } from "../system/waits/effects.ts"
import type { SshChannel } from "./server/channel.ts"
import { type Connect, type Destination, forward } from "./server/forward.ts"
import { serveSession, type Start } from "./server/requests.ts"
import { runProgram, type StartProgram } from "./server/session.ts"
import { makeWire } from "./server/wire.ts"

export type { Connect, Destination, ForwardSocket } from "./server/forward.ts"
export type { SshProgram, StartProgram } from "./server/session.ts"

/** The guest behind a connection. */
export interface SshGuest {
  readonly start: StartProgram
  readonly connect: Connect
}

export interface ServeOptions {
  /** Private key of the server, as OpenSSH writes it. */
  readonly hostKey: string
  /** Public line of the one key that may log in. */
  readonly clientKey: string
  readonly guest: SshGuest
  /** Bytes of the client. */
  readonly input: Stream.Stream<Uint8Array>
  /** A client has logged in as this user. */
  readonly opened: (user: string) => Effect.Effect<void>
}

/** The next bytes for the client. Undefined if none come within `waitMs`. Fails with None at the end. */
export type PullBytes = (waitMs?: number) => Effect.Effect<Uint8Array | undefined, Option.Option<never>>

/** The library of the protocol, by its file: only a process with a connection loads it. */
const load = () => import("./server/ssh2.ts")

/** Those that processors have instructions for. The others are for clients without them. */
const CIPHERS = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"] as const

/** A user of the guest: a name of passwd(5), a uid, or uid:gid. */
const USER = /^([A-Za-z_][A-Za-z0-9_.-]{0,31}|\d{1,10}(:\d{1,10})?)$/

/** Time for the programs of a connection that has ended, in ms. More than that of one program from the end of its input to SIGKILL. */
const LEAVE_MS = 4_000

/** Judges attempts to log in: the one key of the workspace, for any user of the guest. */
const judge = (parseKey: Awaited<ReturnType<typeof load>>["parseKey"], clientKey: string) => {
  const key = parseKey(clientKey)
  if (key instanceof Error) throw key
  const blob = key.getPublicSSH()
  return (context: AuthContext): boolean => {
    const isAllowed = context.method === "publickey" && USER.test(context.username) &&
      context.key.algo === key.type && blob.equals(context.key.data) &&
      // Without a signature, the client asks whether it should sign.
      (context.signature === undefined || context.blob !== undefined &&
          key.verify(context.blob, context.signature, context.hashAlgo) === true)
    if (isAllowed) context.accept()
    else context.reject(["publickey"])
    return isAllowed
  }
}

/**
 * Serves one SSH connection. Its programs and forwarded ports are the guest's. The server itself is in this process: the guest needs none, and
 * has no key. The connection ends with the Scope. Its programs then get SIGHUP, and what they left in the background goes on.
 */
export const serveSsh = (
  { clientKey, guest, hostKey, input, opened }: ServeOptions
): Effect.Effect<PullBytes, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { parseKey, Server } = yield* Effect.promise(load)
    const authenticate = judge(parseKey, clientKey)
    const fibers = yield* FiberSet.make<void>()
    const run = yield* FiberSet.runtime(fibers)<never>()
    const failed = (cause: unknown) => void run(Effect.logWarning("an SSH connection has failed", Cause.die(cause)))
    const wire = makeWire(failed)
    let connection: Connection | undefined
    yield* atClose(
      Effect.sync(() => connection?.end()).pipe(
        Effect.ignoreCause,
        Effect.andThen(Effect.sync(wire.end)),
        Effect.andThen(withTimeout(LEAVE_MS, FiberSet.awaitEmpty(fibers)))
      )
    )
    const start: Start = (channel, program, started) => runProgram(channel, program, guest.start, started)
    const server = new Server(
      { hostKeys: [hostKey], ident: "pyro", algorithms: { cipher: [...CIPHERS] } },
      (client) => {
        connection = client
        let user = ""
        // Wrong bytes end the connection, and nothing else.
        client.on("error", (cause) => {
          run(Effect.logDebug("an SSH connection has failed", Cause.die(cause)))
          wire.socket.end()
        })
        client.on("authentication", (context) => {
          if (authenticate(context)) user = context.username
        })
        client.on("ready", () => run(opened(user)))
        client.on("session", (accept) => serveSession(accept(), user, run, start))
        const connect = (to: Destination, accept: () => unknown, reject: () => void) =>
          run(forward(guest.connect(to, user), { accept: () => accept() as SshChannel, reject }))
        client.on("tcpip", (accept, reject, { destIP, destPort }) =>
          connect({ host: destIP, port: destPort }, accept, reject))
        client.on("openssh.streamlocal", (accept, reject, { socketPath }) =>
          connect({ path: socketPath }, accept, reject))
      }
    )
    server.injectSocket(wire.socket as never)
    yield* Effect.forkScoped(wire.feed(input))
    return wire.pull
  })
