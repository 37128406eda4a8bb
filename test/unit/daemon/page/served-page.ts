import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect, Exit, Layer, Scope } from "effect"
import * as Socket from "effect/socket/Socket"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Pyro, type PyroService } from "../../../../src/contract/rows/Pyro.ts"
import { PAGE_RPC_PATH } from "../../../../src/contract/wire/page.ts"
import { makePage, type PageOptions } from "../../../../src/daemon/page/page.ts"
import type { RequestTracker } from "../../../../src/daemon/request-tracker.ts"
import { connectOver } from "../../../../src/sdk/connection/over.ts"
import { type Browser, ownRequest } from "../../../support/page-browser.ts"
import { makeServing } from "../../../support/served-pyro.ts"

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
export const connectPage = (browser: Browser) =>
  Effect.gen(function*() {
    const { headers, protocols } = ownRequest(browser)
    const socket = yield* Effect.provide(
      Socket.makeWebSocket(`ws://127.0.0.1:${browser.port}${PAGE_RPC_PATH}`, { protocols, headers }),
      NodeWS.layerWebSocketConstructor
    )
    return yield* connectOver(socket)
  })
