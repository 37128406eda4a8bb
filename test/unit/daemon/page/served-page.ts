import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect, Exit, Layer, Scope } from "effect"
import * as Socket from "effect/socket/Socket"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Pyro, type PyroService } from "../../../../src/contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { PAGE_RPC_PATH } from "../../../../src/contract/wire/page.ts"
import { makePage, type PageOptions } from "../../../../src/daemon/page.ts"
import type { RequestTracker } from "../../../../src/daemon/server/request-tracker.ts"
import { connectOver } from "../../../../src/sdk/connection/over.ts"
import { makeServing } from "../../../support/daemon/served-pyro.ts"
import { type Browser, ownRequest } from "../../../support/web/page-browser.ts"

/** A built page, and a folder of the state directory, until the Scope closes. */
export const pageFolder = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-page-"))
    fs.mkdirSync(path.join(folder, "web", "assets"), { recursive: true })
    fs.writeFileSync(path.join(folder, "web", "index.html"), "<!doctype html><title>pyro</title>")
    fs.writeFileSync(path.join(folder, "web", "assets", "page-0123.js"), "export {}")
    fs.writeFileSync(path.join(folder, "web", "favicon.svg"), "<svg/>")
    fs.writeFileSync(path.join(folder, "secret.txt"), "a secret of the host")
    fs.symlinkSync(path.join(folder, "secret.txt"), path.join(folder, "web", "link.txt"))
    return folder
  }),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
)

/** The daemon's page over these operations, until `stop` or the Scope closes. */
export const servePage = (
  pyro: PyroService,
  folder: string,
  { limits, requests }: Pick<PageOptions, "limits"> & { readonly requests?: RequestTracker } = {}
) =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const options = { directory: path.join(folder, "web"), file: path.join(folder, "page.json") }
    const page = yield* makePage({
      ...options,
      serving: yield* makeServing(requests),
      limits: { user: undefined, ...limits }
    }).pipe(Effect.provide(Layer.succeed(Pyro, pyro)), Scope.provide(scope))
    return { ...page, stop: Scope.close(scope, Exit.void) }
  })

/** A page's connection to the operations. */
export const connectPage = (browser: Browser) => Effect.map(connectPausable(browser), ({ client }) => client)

/** The same, and a function that stops its reading. */
export const connectPausable = (browser: Browser) =>
  Effect.gen(function*() {
    const { headers, protocols } = ownRequest(browser)
    let webSocket: NodeWS.WebSocket | undefined
    const made = Layer.succeed(Socket.WebSocketConstructor)((url) => {
      webSocket = new NodeWS.WebSocket(url, protocols, { headers })
      return webSocket as never
    })
    const socket = yield* Effect.provide(
      Socket.makeWebSocket(`ws://127.0.0.1:${browser.port}${PAGE_RPC_PATH}`, { protocols }),
      made
    )
    return { client: yield* connectOver(socket), pause: Effect.sync(() => webSocket?.pause()) }
  })

/** A workspace as `workspace.status` shows one. */
export const workspaceInfo: WorkspaceInfo = {
  id: "ws-0000000001",
  labels: {},
  environment: "debian:12",
  environmentDigest: "sha256:0",
  state: "running",
  createdAt: "2025-01-02T03:04:05.000Z",
  lastActivityAt: "2025-01-02T03:04:05.000Z",
  generation: 1,
  vcpuCount: 1,
  memoryMib: 256,
  diskMib: 512,
  runningCommands: 0
}
