import { get } from "node:http"
import { afterAll, assert, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"

const own = installation("pyro-ports-")
const { close, create, failure, json, sh, step } = own
afterAll(close)

interface Port {
  readonly guest_port: number
  readonly host_port?: number
  readonly service?: string
}

const portsOf = async (name: string, { status }: Installation = own) =>
  ((await status(name)) as { readonly ports?: ReadonlyArray<Port> }).ports ?? []

const fetched = (port: number, path: string) =>
  new Promise<string>((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (piece: string) => text += piece)
        .on("end", () => resolve(text)).on("error", reject)
    }).on("error", reject)
  })

const SERVE = "cd /workspace && echo kept >page && (setsid python3 -m http.server 3000 >/dev/null 2>&1 &) && " +
  "for n in $(seq 600); do python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 3000))' 2>/dev/null && exit 0; sleep 0.1; done"

describe("published ports", () => {
  it("a port of a guest answers on the host, in the workspace and in its fork, until it is unpublished", async () => {
    await create(["--name", "web"])
    await sh("web", SERVE)
    const { guest_port, host_port } = await json<Port>(["workspace", "port", "publish", "web", "3000"])
    assert.strictEqual(guest_port, 3000)
    assert.strictEqual(await fetched(host_port!, "/page"), "kept\n")
    assert.deepStrictEqual(await portsOf("web"), [{ guest_port, host_port: host_port! }])

    const taken = await failure(["workspace", "port", "publish", "web", `${host_port}:3001`])
    assert.deepInclude(taken, { code: "port_in_use", workspace: "web" })

    await json(["workspace", "fork", "web", "--name", "copy"])
    const [forked] = await portsOf("copy")
    assert.notStrictEqual(forked!.host_port, host_port)
    assert.strictEqual(await fetched(forked!.host_port!, "/page"), "kept\n")

    await json(["workspace", "port", "unpublish", "web", "3000"])
    assert.deepStrictEqual(await portsOf("web"), [])
    await fetched(host_port!, "/page").then(() => assert.fail("it still listens"), () => {})
    assert.deepInclude(await failure(["workspace", "port", "unpublish", "web", "3000"]), { code: "port_not_published" })
    await step("stop", "copy")
    assert.deepStrictEqual(await portsOf("copy"), [{ guest_port: 3000 }])
  })
})
