import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema, Stream } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Socket from "effect/socket/Socket"
import { createServer } from "node:http"
import { WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import { ExecPayload, workspaceExec } from "../../../src/contract/rows/workspace-exec.ts"
import { layerSerialization } from "../../../src/contract/wire/serialization.ts"
import { layerServer } from "../../../src/daemon/server/server.ts"
import { connectOver } from "../../../src/sdk/connection/over.ts"
import { makeServing } from "../../support/daemon/served-pyro.ts"
import { eventsOf } from "../../support/daemon/served-pyro.ts"
import { EVENTS, service } from "../../support/daemon/wire-service.ts"

/** The daemon's operations over a WebSocket, and a client of them. */
const served = Effect.gen(function*() {
  const rpcs = layerServer(yield* makeServing()).pipe(
    Layer.provide(RpcServer.layerProtocolWebsocket({ path: "/rpc" })),
    Layer.provide(layerSerialization()),
    Layer.provide(Layer.succeed(Pyro, service))
  )
  const server = yield* Layer.build(
    HttpRouter.serve(rpcs, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
    )
  )
  const { address } = Context.get(server, HttpServer.HttpServer)
  const { port } = address as { readonly port: number }
  const socket = yield* Effect.provide(
    Socket.makeWebSocket(`ws://127.0.0.1:${port}/rpc`),
    Socket.layerWebSocketConstructorGlobal
  )
  return yield* connectOver(socket)
})

describe("the operations over a WebSocket", () => {
  it.live("results, errors, and events with their bytes are those of the daemon's socket", () =>
    Effect.gen(function*() {
      const client = yield* served
      assert.deepStrictEqual(yield* client.ask("workspace.list", { labels: {} }), { workspaces: [] })
      const failure = yield* Effect.flip(client.ask("workspace.status", { workspace: "w" }))
      assert.instanceOf(failure, WorkspaceNotFound)
      const payload = Schema.decodeSync(ExecPayload())({ workspace: "w", command: ["true"] })
      assert.deepStrictEqual(
        yield* Stream.runCollect(eventsOf(client, workspaceExec, payload)) as Effect.Effect<unknown>,
        [...EVENTS]
      )
    }))
})
