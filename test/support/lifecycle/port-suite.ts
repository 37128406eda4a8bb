import * as http from "node:http"
import { connect, type Socket } from "node:net"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { until } from "../pyro-cli.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

interface Port {
  readonly guestPort: number
  readonly hostPort?: number
}

/** A server of the guest that answers each line by the same line, and its end by `end` and an end. */
const echo = (address: string, port: number) =>
  `import asyncio
async def serve(reader, writer):
  while line := await reader.readline():
    writer.write(line)
    await writer.drain()
  writer.write(b"end\\n")
  writer.close()
async def main():
  server = await asyncio.start_server(serve, "${address}", ${port}, backlog=512)
  print("ready", flush=True)
  await server.serve_forever()
asyncio.run(main())`

const dial = (port: number) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true })
    socket.once("connect", () => resolve(socket)).once("error", reject)
  })

/** All that a socket gives until its end, and how it ended. */
const drained = (socket: Socket) =>
  new Promise<string>((resolve) => {
    let text = ""
    socket.setEncoding("latin1").on("data", (piece: string) => text += piece)
      .on("end", () => resolve(text)).on("error", (error: NodeJS.ErrnoException) => resolve(`${text}${error.code}`))
      .on("close", () => resolve(`${text}closed`))
  })

/** What a client reads that sends `text` and ends. */
const said = async (port: number, text: string) => {
  const socket = await dial(port)
  const all = drained(socket)
  socket.end(text)
  return await all
}

const refused = (port: number) => dial(port).then((socket) => (socket.destroy(), false), () => true)

/** Published ports, whatever the VMM. */
export const portSuite = (name: string, driver: LifecycleDriver, base: number) => {
  let client: WorkspacesClient
  beforeAll(async () => {
    client = await driver.open()
  })
  afterAll(() => driver.close(client))

  const { call, create, remove, sh, startProgram } = operations(() => client)
  const publish = (workspace: string, port: string) => call<Port>("port-publish", { workspace, port })
  const ports = async (workspace: string) =>
    (await call<{ readonly ports?: ReadonlyArray<Port> }>("status", { workspace })).ports ?? []
  const failure = (work: Promise<unknown>) => work.then(() => "nothing failed", String)
  const hostPort = async (workspace: string, guestPort: number) =>
    (await ports(workspace)).find((one) => one.guestPort === guestPort)!.hostPort!

  /** Starts a Python program in the guest that prints `ready`. */
  const python = async (workspace: string, script: string) => {
    const file = `/workspace/said-${Math.random()}`
    await startProgram(workspace, `exec python3 - >${file} 2>&1 <<'END'\n${script}\nEND`)
    await until("a program of the guest", async () => (await sh(workspace, `cat ${file}`).catch(() => "")) === "ready")
  }

  describe(`published ports over ${name}`, () => {
    it("a client reaches a server on either loopback, and each direction ends by itself", async () => {
      await create("a")
      await python("a", echo("127.0.0.1", base))
      await python("a", echo("::1", base + 1))
      for (const port of [base, base + 1]) {
        const { guestPort, hostPort } = await publish("a", String(port))
        assert.strictEqual(guestPort, port)
        for (let round = 0; round < 3; round++) {
          assert.strictEqual(await said(hostPort!, "one\ntwo\n"), "one\ntwo\nend\n")
        }
      }
      assert.deepStrictEqual((await ports("a")).map(({ guestPort }) => guestPort), [base, base + 1])
    })

    it("a port in use is refused, and a refusal leaves nothing", async () => {
      const taken = await hostPort("a", base)
      assert.include(
        await failure(publish("a", `${taken}:${base + 2}`)),
        `port ${taken} of this host is already in use`
      )
      assert.include(await failure(publish("a", `${taken + 1}:${base}`)), "already published")
      assert.strictEqual((await publish("a", String(base))).hostPort, taken)
      assert.lengthOf(await ports("a"), 2)
      const server = http.createServer()
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const { port } = server.address() as { readonly port: number }
      assert.include(await failure(publish("a", `${port}:${base + 2}`)), "already in use")
      server.close()
      assert.include(await failure(call("port-publish", { workspace: "a", port: "0:70000" })), "must be")
    })

    it("a client of a port without a server is reset", async () => {
      const { hostPort } = await publish("a", String(base + 3))
      assert.match(await drained(await dial(hostPort!)), /^(ECONNRESET|closed)$/)
      await call("port-unpublish", { workspace: "a", guest_port: base + 3 })
      assert.isTrue(await refused(hostPort!))
      assert.include(
        await failure(call("port-unpublish", { workspace: "a", guest_port: base + 3 })),
        "is not published"
      )
    })

    it("100 connections at once are all served", async () => {
      const port = await hostPort("a", base)
      const all = await Promise.all(
        Array.from({ length: 100 }, (_, number) => said(port, `${number} ${"x".repeat(1_000)}\n`))
      )
      assert.deepStrictEqual(all, Array.from({ length: 100 }, (_, number) => `${number} ${"x".repeat(1_000)}\nend\n`))
    })

    it("a stop ends the listeners, and a start brings them back on the same ports", async () => {
      const port = await hostPort("a", base)
      const open = await dial(port)
      const ended = drained(open)
      await call("stop", { workspace: "a" })
      assert.match(await ended, /^(ECONNRESET|closed)$/)
      assert.isTrue(await refused(port))
      assert.deepStrictEqual(await ports("a"), [{ guestPort: base }, { guestPort: base + 1 }])
      await call("start", { workspace: "a" })
      assert.strictEqual(await hostPort("a", base), port)
      await python("a", echo("127.0.0.1", base))
      assert.strictEqual(await said(port, "again\n"), "again\nend\n")
    })

    it("a killed process's successor listens on the same ports", async () => {
      const port = await hostPort("a", base)
      const socket = await dial(port)
      const ended = drained(socket)
      socket.write("one\n")
      await client.kill()
      await ended
      assert.strictEqual(await hostPort("a", base), port)
      assert.strictEqual(await said(port, "again\n"), "again\nend\n")
    })

    it("a fork has other ports, and they end with the fork", async () => {
      const port = await hostPort("a", base)
      await call("fork", { workspace: "a", name: "child" })
      const own = await hostPort("child", base)
      assert.notStrictEqual(own, port)
      if (driver.capturesPrograms) assert.strictEqual(await said(own, "child\n"), "child\nend\n")
      await remove("child")
      assert.isTrue(await refused(own))
      assert.strictEqual(await said(port, "parent\n"), "parent\nend\n")
    })

    it("a reset to a snapshot brings its ports back, and a reset forgets all", async () => {
      const [before] = await ports("a")
      await call("snapshot", { workspace: "a", name: "s" })
      await call("port-unpublish", { workspace: "a", guest_port: base })
      await publish("a", String(base + 5))
      await call("reset", { workspace: "a", snapshot: "s" })
      assert.deepStrictEqual((await ports("a"))[0], before)
      assert.lengthOf(await ports("a"), 2)
      await call("reset", { workspace: "a" })
      assert.deepStrictEqual(await ports("a"), [])
      assert.isTrue(await refused(before!.hostPort!))
    })
  })
}
