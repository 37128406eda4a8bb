import { Effect } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import type WebSocket from "ws"
import { browse, get, ownRequest, upgrade } from "../support/web/page-browser.ts"
import { packageWithPage } from "../support/web/page-package.ts"

const { entry, folder, remove } = packageWithPage({ "index.html": "<!doctype html><title>the page</title>" })

// Before the helpers, which run the program that the variable names.
process.env["PYRO_TEST_ENTRY"] = entry
const { installation } = await import("../support/installation.ts")
const { until } = await import("../support/pyro-cli.ts")

interface Opened {
  readonly url: string
  readonly port: number
}

describe("pyro ui", { concurrent: false }, () => {
  const pyro = installation("pyro-ui-state-")
  const { call, daemonPid, failure, json, list } = pyro
  afterAll(async () => {
    await pyro.close()
    remove()
  })
  const tokenOf = ({ port, url }: Opened) => ({ port, token: new URL(url).searchParams.get("token")! })
  const browser = async () => Effect.runPromise(browse(tokenOf(await json<Opened>(["ui"]))))
  const statusOf = async ({ cookie, port }: { readonly cookie: string; readonly port: number }) =>
    (await Effect.runPromise(get(port, "/", { Cookie: cookie }))).status

  it("the address opens the page, and the next one opens it at the same port", async () => {
    const first = await browser()
    const second = await browser()
    assert.strictEqual(first.port, second.port)
    assert.deepStrictEqual([await statusOf(first), await statusOf(second)], [200, 200])
    const { text } = await Effect.runPromise(get(first.port, "/w/fix", { Cookie: first.cookie }))
    assert.include(text, "the page")
  })

  it("a browser goes on after a restart and after a crash of the daemon", async () => {
    const own = await browser()
    await json(["daemon", "stop"])
    await list()
    assert.strictEqual(await statusOf(own), 200)
    process.kill(await daemonPid(), "SIGKILL")
    // No program gets the port meanwhile.
    const taken = net.createServer()
    const code = await new Promise((resolve) => {
      taken.on("error", (error: NodeJS.ErrnoException) => resolve(error.code)).listen(
        own.port,
        "127.0.0.1",
        () => resolve("free")
      )
    })
    assert.strictEqual(code, "EADDRINUSE")
    await list()
    assert.strictEqual(await statusOf(own), 200)
    const socket = await Effect.runPromise(Effect.scoped(upgrade(own.port, ownRequest(own))))
    assert.isNotNumber(socket)
  })

  it("the daemon leaves while a page is connected that asks for nothing, and the page's connection ends", async () => {
    const own = await browser()
    await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const socket = (yield* upgrade(own.port, ownRequest(own))) as WebSocket
      let isClosed = false
      socket.on("close", () => void (isClosed = true))
      yield* Effect.promise(() => json(["daemon", "stop"]))
      yield* Effect.promise(() => until("the end of the connection", () => isClosed))
    })))
  })

  it("without a display only the address is printed, over ssh with the command for the tunnel", async () => {
    const none = { DISPLAY: "", WAYLAND_DISPLAY: "", SSH_CONNECTION: "" }
    const plain = await call(["ui"], { env: none })
    assert.match(plain.stdout.toString(), /^http:\/\/127\.0\.0\.1:\d+\/\?token=[A-Za-z0-9_-]{43}\n$/)
    assert.notInclude(plain.stderr, "ssh")
    const env = { ...none, DISPLAY: ":0", SSH_CONNECTION: "192.0.2.1 50000 192.0.2.2 2222", USER: "ann" }
    const { code, stderr, stdout } = await call(["ui", "--no-open"], { env })
    assert.strictEqual(code, 0)
    const { port } = new URL(stdout.toString())
    assert.include(stderr, `ssh -p 2222 -L ${port}:127.0.0.1:${port} ann@192.0.2.2`)
  })

  it("on a display the browser opens the address, unless --no-open or --json is given", async () => {
    const bin = path.join(folder, "bin")
    const said = path.join(folder, "opened")
    fs.mkdirSync(bin)
    fs.writeFileSync(path.join(bin, "xdg-open"), `#!/bin/sh\necho "$1" >> ${said}\n`, { mode: 0o755 })
    const env = { DISPLAY: ":0", SSH_CONNECTION: "", PATH: `${bin}:${process.env["PATH"]}` }
    await call(["ui", "--no-open"], { env })
    await call(["ui", "--json"], { env })
    const { stdout } = await call(["ui"], { env })
    assert.strictEqual(fs.readFileSync(said, "utf8"), stdout.toString())
  })

  it("a workspace that does not exist, and a port in use, are refused", async () => {
    assert.strictEqual((await failure(["ui", "nobody"])).code, "workspace_not_found")
    const { port } = await json<Opened>(["ui"])
    const other = installation("pyro-ui-other-")
    try {
      const refused = await other.failure(["ui", "--port", String(port)])
      assert.strictEqual(refused.code, "page_unavailable")
      assert.include(refused.message, `port ${port} of 127.0.0.1 is already in use`)
    } finally {
      await other.close()
    }
  })

  it("ui --close ends every session", async () => {
    const own = await browser()
    assert.deepStrictEqual(await json(["ui", "--close"]), { closed: true })
    assert.deepStrictEqual(await json(["ui", "--close"]), { closed: false })
    await json(["ui", "--port", String(own.port)])
    assert.strictEqual(await statusOf(own), 401)
    await json(["daemon", "stop"])
    await list()
    const { port } = await json<Opened>(["ui"])
    assert.strictEqual(await statusOf({ ...own, port }), 401)
  })
})
