import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { execFile, spawn } from "node:child_process"
import * as http from "node:http"
import { promisify } from "node:util"
import { service } from "../../../support/daemon/wire-service.ts"
import { portHolders } from "../../../support/host/port-holder.ts"
import { browse, connectTcp, get, ownRequest, untilClosed, upgrade } from "../../../support/web/page-browser.ts"
import { connectPage, pageFolder, servePage } from "./served-page.ts"

const isRoot = process.getuid!() === 0
const NOBODY = { uid: 65_534, gid: 65_534, cwd: "/", env: {} }

/** Waits for the end of the processes that keep the page's port. */
const untilNobodyHolds = (folder: string) =>
  Effect.promise(async () => {
    while (portHolders(folder).length > 0) await new Promise((resolve) => setImmediate(resolve))
  })

/** Another program at the page's port, which writes down what browsers send. */
const falseDaemon = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly heads: Array<http.IncomingHttpHeaders>; readonly server: http.Server }>((resume) => {
      const heads: Array<http.IncomingHttpHeaders> = []
      const server = http.createServer((request, response) => {
        heads.push(request.headers)
        response.end("<script>false</script>")
      })
      server.on("upgrade", (request, socket) => {
        heads.push(request.headers)
        socket.destroy()
      })
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed({ heads, server })))
    }),
    ({ server }) => Effect.sync(() => server.close())
  )

describe("the port of the page while no daemon runs", () => {
  it.live("what a false daemon hears at a port that was free is worth nothing, and no browser is led there again", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const first = yield* servePage(service, folder)
      const browser = yield* browse(yield* first.open(undefined))
      yield* first.stop
      for (const pid of portHolders(folder)) process.kill(pid, "SIGKILL")
      yield* untilNobodyHolds(folder)
      // The open page tries again, and shows all that it has.
      yield* Effect.scoped(Effect.gen(function*() {
        const { heads } = yield* falseDaemon(browser.port)
        yield* upgrade(browser.port, ownRequest(browser))
        assert.include(heads[0]!["sec-websocket-protocol"], browser.key)
        assert.strictEqual(heads[0]!.cookie, browser.cookie)
      }))
      const log: Array<unknown> = []
      const second = yield* servePage(service, folder).pipe(
        Effect.provide(Logger.layer([Logger.make(({ message }) => void log.push(message))]))
      )
      assert.include(String(log), `its port ${browser.port} was free meanwhile. Run: pyro ui`)
      const next = yield* browse(yield* second.open(undefined))
      assert.notStrictEqual(next.port, browser.port)
      // Not even at the port that the person asks for.
      yield* second.open(browser.port)
      assert.strictEqual(yield* upgrade(browser.port, ownRequest(browser)), 401)
      assert.strictEqual((yield* get(browser.port, "/", { Cookie: browser.cookie })).status, 401)
    }))

  it.live("the end of pyro-port ends the page and its sessions", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const { open } = yield* servePage(service, folder)
      const browser = yield* browse(yield* open(undefined))
      const socket = yield* connectTcp(browser.port)
      for (const pid of portHolders(folder)) process.kill(pid, "SIGKILL")
      assert.strictEqual(yield* untilClosed(socket), "")
      const next = yield* browse(yield* open(undefined))
      assert.strictEqual((yield* get(next.port, "/", { Cookie: next.cookie })).status, 200)
      assert.strictEqual((yield* get(next.port, "/", { Cookie: browser.cookie })).status, 401)
    }))

  it.live("no process keeps a port that no browser comes back to", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const { open, stop } = yield* servePage(service, folder)
      yield* open(undefined)
      assert.lengthOf(portHolders(folder), 1)
      yield* stop
      yield* untilNobodyHolds(folder)
    }))
})

describe("clients of the page's port from elsewhere in 127.0.0.0/8", () => {
  it.live("an own program at another address of the loopback is refused, too", () =>
    Effect.gen(function*() {
      const { open } = yield* servePage(service, yield* pageFolder)
      const { port } = yield* open(undefined)
      const socket = yield* connectTcp(port, "127.0.0.2")
      socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
      assert.strictEqual(yield* untilClosed(socket), "")
    }))

  it.live.runIf(isRoot)(
    "another user with the port number of the owner's connection is refused",
    () =>
      Effect.gen(function*() {
        const { open } = yield* servePage(service, yield* pageFolder, { limits: { user: 0 } })
        const browser = yield* browse(yield* open(undefined))
        yield* connectPage(browser)
        const own = yield* connectTcp(browser.port)
        yield* Effect.callback<void>((resume) => void own.once("connect", () => resume(Effect.void)))
        // With all that the owner's browser has.
        const script = `const net = require("net")
        const socket = net.connect({ host: "127.0.0.1", port: ${browser.port}, localAddress: "127.0.0.2", localPort: ${own.localPort} })
        socket.write("GET / HTTP/1.1\\r\\nHost: 127.0.0.1:${browser.port}\\r\\nCookie: ${browser.cookie}\\r\\n\\r\\n")
        socket.on("data", () => console.log("an answer")).on("error", () => {}).on("close", () => console.log("closed"))`
        const { stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, ["-e", script], NOBODY))
        assert.strictEqual(stdout, "closed\n")
        assert.isFalse(own.destroyed)
      })
  )

  it.live.runIf(isRoot)("connections of another user keep nobody out", () =>
    Effect.gen(function*() {
      const { open } = yield* servePage(service, yield* pageFolder, { limits: { user: 0 } })
      const { port, token } = yield* open(undefined)
      const script = `const net = require("net")
        const one = () => net.connect({ host: "127.0.0.1", port: ${port} }).on("error", () => {}).on("close", one)
        for (let at = 0; at < 100; at++) one()
        console.log("begun")`
      yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof spawn>>((resume) => {
          const child = spawn(process.execPath, ["-e", script], { ...NOBODY, stdio: ["ignore", "pipe", "inherit"] })
          child.stdout.once("data", () => resume(Effect.succeed(child)))
        }),
        (child) => Effect.sync(() => child.kill())
      )
      const browser = yield* browse({ port, token })
      for (let at = 0; at < 20; at++) {
        assert.strictEqual((yield* get(port, "/", { Cookie: browser.cookie })).status, 200)
      }
    }))
})
