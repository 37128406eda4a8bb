import { Effect, Option, type Scope, Stream } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { NetworkMode } from "../../src/lib/guest-channel/model/calls.ts"
import type {
  ConnectRequest,
  DatagramRequest,
  DnsAnswer,
  GuestSocket,
  NetworkRequest,
  ResolveRequest
} from "../../src/lib/guest-channel/model/network.ts"
import { accept, networkRequests } from "../support/network/guest-requests.ts"
import { Agent } from "./agent.ts"
import { run, sh } from "./run.ts"

/** Answers every look-up, and handles each connection in a fiber of the Scope. */
export const serve = (
  channel: GuestChannel,
  handle: {
    readonly connect?: (request: ConnectRequest) => Effect.Effect<unknown, unknown, Scope.Scope>
    readonly datagrams?: (request: DatagramRequest) => Effect.Effect<unknown, unknown, Scope.Scope>
    readonly resolve?: (name: string, type: number) => DnsAnswer
    /** In place of `resolve`, for a look-up that waits. */
    readonly answer?: (request: ResolveRequest) => Effect.Effect<void>
  }
) =>
  Stream.runForEach(networkRequests(channel), (request: NetworkRequest) =>
    request._tag === "Resolve"
      ? handle.answer?.(request) ??
        request.answer(handle.resolve?.(request.name, request.type) ?? { _tag: "Address" })
      : Effect.forkScoped(
        Effect.scoped(
          (request._tag === "Connect" ? handle.connect?.(request) : handle.datagrams?.(request)) ?? request.refuse
        )
      )).pipe(Effect.forkScoped)

/** Sends back what comes, then its end. */
export const echo = (request: ConnectRequest) =>
  Effect.flatMap(accept(request), (socket) =>
    Stream.runForEach(socket.received, (bytes) => socket.write(bytes)).pipe(
      Effect.andThen(socket.end),
      Effect.andThen(socket.closed)
    ))

/** The next request to connect; look-ups before it get an address. */
export const nextConnect = (channel: GuestChannel): Effect.Effect<ConnectRequest> =>
  Effect.flatMap(Stream.runHead(networkRequests(channel)), (found) => {
    const request = Option.getOrThrow(found)
    if (request._tag === "Connect") return Effect.succeed(request)
    const answered = request._tag === "Resolve" ? request.answer({ _tag: "Address" }) : request.refuse
    return Effect.andThen(answered, nextConnect(channel))
  })

export const textOf = (socket: GuestSocket) =>
  Effect.map(Stream.runCollect(socket.received), (pieces) => Buffer.concat([...pieces]).toString())

/** A channel whose guest has the network on, and looks names up as a workspace does. */
export const connectedNetwork = Effect.gen(function*() {
  const channel = yield* Agent.connect()
  const { folder } = yield* Agent
  const file = join(folder, "resolv.conf")
  writeFileSync(file, "nameserver 198.18.0.2\n")
  yield* sh(channel, `mountpoint -q /etc/resolv.conf || mount --bind ${file} /etc/resolv.conf`)
  yield* channel.call.network({ mode: NetworkMode.on })
  yield* Effect.addFinalizer(() => Effect.ignore(channel.call.network({ mode: NetworkMode.off })))
  return channel
})

/** Runs JavaScript in the guest; the program prints its result. */
export const js = (channel: GuestChannel, script: string) =>
  Effect.map(
    run(channel, [
      process.execPath,
      "-e",
      `const net = require("node:net"), dns = require("node:dns").promises;${script}`
    ]),
    ({ exit, stderr, stdout }) => exit.code === 0 ? stdout.trim() : `exit ${exit.code}: ${stderr}`
  )

/** The same, beside the test. */
export const jsFiber = (channel: GuestChannel, script: string) => Effect.forkScoped(js(channel, script))
