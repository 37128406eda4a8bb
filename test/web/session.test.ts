import * as fs from "node:fs"
import * as http from "node:http"
import { stripTypeScriptTypes } from "node:module"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { openChromium } from "../support/web/chromium.ts"
import { packageWithPage } from "../support/web/page-package.ts"

const CONTRACT = path.resolve(import.meta.dirname, "../../src/contract/wire/page.ts")

/** A page that shows whether the daemon lets its WebSocket in. */
const SCRIPT = `
import { pageProtocols } from "/assets/contract.js"
const state = document.querySelector("#state")
const protocols = pageProtocols(window)
const socket = protocols && new WebSocket("ws://" + location.host + "/rpc", protocols)
if (socket === undefined) state.textContent = "no key"
else {
  socket.onopen = () => state.textContent = "connected"
  socket.onclose = () => state.textContent = "closed"
}
`

const { entry, remove } = packageWithPage({
  "index.html": `<!doctype html><title>pyro</title><p id="state">begins</p><p id="inline">kept out</p>
<script>document.querySelector("#inline").textContent = "ran"</script>
<script type="module" src="/assets/page.js"></script>`,
  "assets/contract.js": stripTypeScriptTypes(fs.readFileSync(CONTRACT, "utf8")),
  "assets/page.js": SCRIPT
})
process.env["PYRO_TEST_ENTRY"] = entry
const { installation } = await import("../support/installation.ts")

/** Another server of this host, such as a hostile guest behind a published port. */
const openNeighbour = async () => {
  const cookies: Array<string> = []
  let body = ""
  const server = http.createServer((request, response) => {
    cookies.push(request.headers.cookie ?? "")
    response.setHeader("Content-Type", "text/html").end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    cookies,
    port: (server.address() as AddressInfo).port,
    serve: (html: string) => void (body = html),
    close: () => server.close()
  }
}

describe("pyro ui in a browser", { concurrent: false }, () => {
  const pyro = installation("pyro-ui-browser-")
  const chromium = openChromium(path.join(pyro.folder, "profile"))
  let neighbour: Awaited<ReturnType<typeof openNeighbour>>
  beforeAll(async () => {
    neighbour = await openNeighbour()
  })
  afterAll(async () => {
    await chromium.close()
    neighbour.close()
    await pyro.close()
    remove()
  })

  const opened = () => pyro.json<{ readonly url: string; readonly port: number }>(["ui"])

  it("the address opens the page, whose key is in no address, and no inline script runs", async () => {
    const { port, url } = await opened()
    const page = await chromium.page(url)
    await page.shows("#state", "connected")
    assert.strictEqual(await page.evaluate("location.href"), `http://127.0.0.1:${port}/`)
    assert.strictEqual(await page.evaluate("document.cookie"), "")
    assert.strictEqual(await page.evaluate(`document.querySelector("#inline").textContent`), "kept out")
  })

  it("a later tab of the same browser has the session, also at another view", async () => {
    const { port } = await opened()
    const page = await chromium.page(`http://127.0.0.1:${port}/w/fix`)
    await page.shows("#state", "connected")
    const other = await chromium.page(`http://localhost:${port}/`)
    await other.shows("body", "This browser has no session of pyro's page. Run: pyro ui\n")
  })

  it("a link on another site opens the page", async () => {
    const { url } = await opened()
    neighbour.serve(`<script>location = ${JSON.stringify(url)}</script>`)
    const page = await chromium.page(`http://localhost:${neighbour.port}/`)
    await page.shows("#state", "connected")
  })

  it("a page at another port sees the cookie, and can use nothing of the page", async () => {
    const { port, url } = await opened()
    await (await chromium.page(url)).shows("#state", "connected")
    neighbour.serve(`<p id="socket"></p><p id="fetch"></p><script>
const say = (id, text) => document.querySelector(id).textContent = text
const socket = new WebSocket("ws://127.0.0.1:${port}/rpc", ["pyro", "${"k".repeat(43)}"])
socket.onopen = () => say("#socket", "open")
socket.onclose = () => say("#socket", "closed")
fetch("http://127.0.0.1:${port}/session", { credentials: "include" })
  .then((answer) => answer.text()).then((text) => say("#fetch", text), () => say("#fetch", "refused"))
</script>`)
    const page = await chromium.page(`http://127.0.0.1:${neighbour.port}/`)
    await page.shows("#socket", "closed")
    await page.shows("#fetch", "refused")
    // Why a cookie alone opens no connection.
    assert.include(neighbour.cookies.at(-1), `pyro-${port}=`)
    assert.isUndefined(await page.evaluate(`localStorage.getItem("pyro-key") ?? undefined`))
  })
})
