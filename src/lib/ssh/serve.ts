import { Cause, Effect, FiberSet, type Option, type Scope, Stream } from "effect"
import type { AuthContext, Connection } from "ssh2"
import { atClose, withTimeout } from "../../system/waits/effects.ts"
import type { SshChannel } from "./server/channel.ts"
import { type Connect, type Destination, forward } from "./server/forward.ts"
import { serveSession, type Start } from "./server/requests.ts"
import { runProgram, type StartProgram } from "./server/session.ts"
import { makeWire } from "./server/wire.ts"

export type { Connect, Destination, ForwardSocket } from "./server/forward.ts"
export type { SshProgram } from "./server/session.ts"

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

/** A connection that is served. */
interface Served {
  /** The next bytes for the client. Undefined if none come within `waitMs`. Fails with None at the end. */
  readonly pull: (waitMs?: number) => Effect.Effect<Uint8Array | undefined, Option.Option<never>>
  /** Why the server has ended the connection. Undefined if the client ended the connection, or if it is open. */
  readonly reason: () => string | undefined
}

/** The library of the protocol, by its file: only a process with a connection loads it. */
const load = () => import("./server/ssh2.ts")

/** Those that processors have instructions for. The others are for clients without them. */
const CIPHERS = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"] as const

/** A user of the guest: a name of passwd(5), a uid, or uid:gid. */
const USER = /^([A-Za-z_][A-Za-z0-9_.-]{0,31}|\d{1,10}(:\d{1,10})?)$/

/** Time for the programs of a connection that has ended, in ms. More than that of one program from the end of its input to SIGKILL. */
const LEAVE_MS = 4_000

/** Time from the first byte to the login, in ms. A client may ask a person for the phrase of a key meanwhile. */
export const LOGIN_MS = 120_000

/** The library's words for a packet of no possible length. */
const BAD_LENGTH = "Bad packet length"

/** What Node or OpenSSL says of a message that comes too early or has impossible numbers: nothing about the client. */
const isOfProgram = (error: Error) =>
  error instanceof TypeError || /^Error while computing DH secret|\berror:[0-9A-F]{8}:/.test(error.message)

const reasonOf = (error: Error & { readonly code?: unknown; readonly level?: unknown }) => {
  const { code, level, message } = error
  if (message === BAD_LENGTH) {
    return "a packet of the client is longer than 256 KiB, or damaged. Write a long command to a file of the guest, or pass it on stdin"
  }
  if (level === "client-timeout") return "the client does not answer"
  // The number of the reason that the client gives.
  if (typeof code === "number") return `the client has ended it: ${message}`
  return `the client's bytes are no SSH: ${
    isOfProgram(error) ? "a message is damaged, or comes at the wrong time" : message
  }`
}

/** Each client begins with it (RFC 4253). */
const FIRST_WORD = "SSH-"
const NO_CLIENT = "the first bytes are not those of an SSH client"

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
): Effect.Effect<Served, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { parseKey, Server } = yield* Effect.promise(load)
    const authenticate = judge(parseKey, clientKey)
    const fibers = yield* FiberSet.make<void>()
    const run = yield* FiberSet.runtime(fibers)<never>()
    const failed = (cause: unknown) => void run(Effect.logWarning("an SSH connection has failed", Cause.die(cause)))
    const wire = makeWire(failed)
    let connection: Connection | undefined
    let reason: string | undefined
    let isReady = false
    const giveUp = (why: string) => {
      reason ??= why
      wire.hangUp()
    }
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
          giveUp(reasonOf(cause))
        })
        client.on("authentication", (context) => {
          if (authenticate(context)) user = context.username
        })
        client.on("ready", () => {
          isReady = true
          run(opened(user))
        })
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
    let first = ""
    // The library waits for the end of a first line of any words.
    const look = (bytes: Uint8Array) => {
      if (first.length >= FIRST_WORD.length) {
        return
      }
      first += Buffer.from(bytes.subarray(0, FIRST_WORD.length - first.length)).toString("latin1")
      if (!FIRST_WORD.startsWith(first)) {
        giveUp(NO_CLIENT)
      }
    }
    // A client never ends its side alone, so later bytes have no reader.
    yield* wire.feed(Stream.tap(input, (bytes) =>
      Effect.sync(() =>
        look(bytes)
      ))).pipe(
        Effect.andThen(Effect.sync(wire.hangUp)),
        Effect.forkScoped
      )
    yield* Effect.sleep(LOGIN_MS).pipe(
      Effect.andThen(Effect.sync(() => isReady || giveUp(`no client has logged in within ${LOGIN_MS / 1_000} s`))),
      Effect.forkScoped
    )
    return {
      pull: wire.pull,
      // The library does not report bytes before the first line of a client.
      reason: () => reason ?? (connection === undefined && first !== "" && wire.isOver() ? NO_CLIENT : undefined)
    }
  })
