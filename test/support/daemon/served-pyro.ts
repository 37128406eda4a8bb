import { Context, Effect, Exit, Layer, Logger, Ref, Scope } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { streamFromPull } from "../../../src/contract/rows/event-batches.ts"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { Serving } from "../../../src/daemon/server/handlers.ts"
import { makeRequestTracker, type RequestTracker } from "../../../src/daemon/server/request-tracker.ts"
import { layerSocketServer } from "../../../src/daemon/server/server.ts"
import { makeSpool, Spool } from "../../../src/daemon/spool/spool.ts"
import { layerRemote } from "../../../src/sdk/client.ts"
import { connect, socketTo } from "../../../src/sdk/connection/connection.ts"
import type { Connection } from "../../../src/sdk/connection/over.ts"

/** A folder for sockets, until the Scope closes. */
export const socketFolder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-wire-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

/** What the handlers of a daemon share. */
export const makeServing = (requests?: RequestTracker): Effect.Effect<Serving> =>
  Effect.gen(function*() {
    return {
      requests: requests ?? (yield* makeRequestTracker),
      leaving: yield* Ref.make(false),
      hasSpan: () => false,
      version: "0.1.0 (00000000)"
    }
  })

/** Serves operations on a daemon's sockets, until the Scope closes or `stop`. */
export const servePyro = (
  pyro: PyroService,
  given?: {
    readonly socket?: string
    readonly door?: string
    readonly requests?: RequestTracker
    readonly silenceMs?: number
    readonly spool?: Spool["Service"]
  }
) =>
  Effect.gen(function*() {
    const socket = given?.socket ?? path.join(yield* socketFolder, "socket")
    const portable = `${socket}-portable`
    const door = given?.door ?? `${socket}-door`
    const log: Array<string> = []
    const logger = Logger.layer([
      Logger.make(({ message }) => void log.push([message].flat().map(String).join(" ")))
    ])
    const scope = yield* Scope.fork(yield* Effect.scope)
    const serving = yield* makeServing(given?.requests)
    yield* Layer.buildWithScope(
      layerSocketServer(serving, { socket, portable, door, silenceMs: given?.silenceMs }).pipe(
        Layer.provide(Layer.succeed(Pyro, pyro)),
        Layer.provide(
          Layer.effect(
            Spool,
            given?.spool === undefined ? Effect.orDie(makeSpool(`${socket}-spool`)) : Effect.succeed(given.spool)
          )
        ),
        Layer.provide(logger)
      ),
      scope
    )
    return { socket, portable, door, log, requests: serving.requests, stop: Scope.close(scope, Exit.void) }
  })

/** The same with a client. */
export const serveAndConnect = (pyro: PyroService, requests?: RequestTracker) =>
  Effect.gen(function*() {
    const server = yield* servePyro(pyro, requests && { requests })
    return { ...server, client: yield* connect(socketTo(server.socket)) }
  })

/** The events of an operation as a stream. */
export const eventsOf = (client: Connection, ...asked: Parameters<Connection["events"]>) =>
  streamFromPull(client.events(...asked))

/** A client over the line of a portable socket, until the Scope closes. */
export const remoteClient = (
  socket: string,
  times: Parameters<typeof layerRemote>[1] = {}
): Effect.Effect<PyroService, unknown, Scope.Scope> =>
  Effect.map(Layer.build(layerRemote(socketTo(socket), { pingMs: 60_000, ...times })), Context.get(Pyro))
