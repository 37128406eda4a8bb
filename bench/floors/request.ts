import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Context, Effect, Layer, ManagedRuntime } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

const group = RpcGroup.make(Rpc.make("nothing"))

const server = `
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Effect, Layer } from "effect"
import { Rpc, RpcGroup, RpcSerialization, RpcServer } from "effect/rpc"

const group = RpcGroup.make(Rpc.make("nothing"))
const served = RpcServer.layer(group, { disableTracing: true }).pipe(
  Layer.provide(group.toLayer({ nothing: () => Effect.void })),
  Layer.provide(RpcServer.layerProtocolSocketServer),
  Layer.provideMerge(NodeSocketServer.layer({ path: process.argv[1] })),
  Layer.provide(RpcSerialization.layerSchemaBinary())
)
const up = Layer.effectDiscard(Effect.sync(() => console.log("up")))
Effect.runPromise(Layer.launch(Layer.provideMerge(up, served))).catch((cause) => {
  console.error(String(cause))
  process.exit(1)
})
// Ends after its parent's end of any kind.
process.stdin.on("end", () => process.exit()).resume()
`

class Client extends Context.Service<
  Client,
  Effect.Success<ReturnType<typeof RpcClient.make<RpcGroup.Rpcs<typeof group>>>>
>()("bench/floors/Client") {}

const listening = (child: ChildProcess) =>
  new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve())
    child.once("error", reject)
    child.once("exit", (status) => reject(new Error(`the process to be asked ended with status ${status} instead`)))
  })

/**
 * An idle process that answers requests, by the request library alone over a Unix socket: the cost of any request. `sources`: a
 * folder beneath which the library is found.
 */
export const openRequests = async (folder: string, sources: string) => {
  // A socket of its own: a row may be measured again, and a killed process leaves its socket's name.
  const own = fs.mkdtempSync(path.join(folder, "requests-"))
  const socket = path.join(own, "socket")
  const child = spawn(process.execPath, ["--input-type=module", "-e", server, socket], {
    cwd: sources,
    stdio: ["pipe", "pipe", "inherit"]
  })
  const remove = () => fs.rmSync(own, { recursive: true })
  await listening(child).catch((cause) => {
    remove()
    throw cause
  })
  const runtime = ManagedRuntime.make(
    Layer.effect(Client, RpcClient.make(group, { disableTracing: true })).pipe(
      Layer.provide(RpcClient.layerProtocolSocket()),
      Layer.provide([NodeSocket.layerNet({ path: socket }), RpcSerialization.layerSchemaBinary()])
    )
  )
  return {
    request: () => runtime.runPromise(Effect.flatMap(Client, (client) => client.nothing())),
    close: async () => {
      await runtime.dispose()
      child.kill("SIGKILL")
      remove()
    }
  }
}
