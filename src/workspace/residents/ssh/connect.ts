import { Deferred, Effect, type Scope } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import { escapeGuestText } from "../../../contract/text/printable.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import type { GuestProcess } from "../../../lib/guest-channel/model/process.ts"
import type { Connect, Destination, ForwardSocket } from "../../../lib/ssh/serve.ts"
import { withTimeout } from "../../../system/waits/effects.ts"
import { loopbackPort } from "../port/listener.ts"
import { guestEnvironment } from "../program/command.ts"
import { launchHelper } from "./helper.ts"

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1", "ip6-localhost"])

/** Bytes of one forwarded connection that the guest may send ahead of the client. */
const WINDOW_BYTES = 262_144

/** Time for a server to accept, in ms. */
const CONNECT_MS = 30_000

const failedAs = (detail: string) => new AgentCallFailed({ operation: "connect", errno: "ECONNREFUSED", detail })

/** A connection that a program of the guest makes. Its output begins with "+" once it is connected. */
const socketOf = (process: GuestProcess): Effect.Effect<ForwardSocket, AgentCallFailed | ChannelFailed, Scope.Scope> =>
  Effect.gen(function*() {
    type Sink = (bytes: Uint8Array) => Effect.Effect<void, unknown>
    const connected = yield* Deferred.make<void, AgentCallFailed | ChannelFailed>()
    const sink = yield* Deferred.make<Sink>()
    const ended = yield* Deferred.make<void, AgentCallFailed | ChannelFailed>()
    let isConnected = false
    let complaint = ""
    const output = process.forEachOutput(({ bytes, from }) =>
      Effect.gen(function*() {
        if (from === "stderr") {
          complaint = escapeGuestText(Buffer.from(bytes).subarray(0, 200))
          return
        }
        const rest = isConnected ? bytes : bytes.subarray(1)
        isConnected = true
        yield* Deferred.succeed(connected, undefined)
        if (rest.length > 0) yield* Effect.ignore((yield* Deferred.await(sink))(rest))
      })
    )
    yield* output.pipe(
      Effect.andThen(process.exit),
      Effect.flatMap(() => isConnected ? Effect.void : Effect.fail(failedAs(complaint))),
      Effect.exit,
      Effect.flatMap((exit) => Effect.andThen(Deferred.done(connected, exit), Deferred.done(ended, exit))),
      Effect.forkScoped
    )
    yield* Deferred.await(connected)
    return {
      forEachReceived: (f) => Effect.andThen(Deferred.succeed(sink, f), Deferred.await(ended)),
      write: process.writeStdin,
      end: process.endStdin,
      closed: Deferred.await(ended)
    }
  })

const argsOf = (to: Destination) => "path" in to ? ["connect-unix", to.path] : ["connect", to.host, String(to.port)]

/**
 * Connects to what the guest reaches: ports of its loopback by the agent, other hosts and Unix sockets by a program that runs in the guest as the
 * connection's user. So a forwarded connection is one of the guest, with the workspace's network policy.
 */
export const connector = (channel: GuestChannel): Connect => (to, user) => {
  if ("port" in to && LOOPBACK.has(to.host.toLowerCase())) {
    if (to.port < 1 || to.port > 65_535) return Effect.fail(failedAs("no such port"))
    return loopbackPort(to.port)(channel, WINDOW_BYTES)
  }
  const started = launchHelper(channel, argsOf(to), {
    env: guestEnvironment({ tty: false, env: {} }),
    cwd: "/",
    user: user === "root" ? "" : user,
    stdin: true,
    windowBytes: WINDOW_BYTES
  })
  return Effect.acquireRelease(started, ({ release }) => release).pipe(
    Effect.flatMap((process) => withTimeout(CONNECT_MS, socketOf(process))),
    Effect.flatMap((socket) =>
      socket._tag === "None" ? Effect.fail(failedAs("no answer")) : Effect.succeed(socket.value)
    )
  )
}
