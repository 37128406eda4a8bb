import { once } from "node:events"
import * as http from "node:http"
import { connect, type Socket } from "node:net"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import WebSocket from "ws"
import { until } from "../pyro-cli.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import { checkTurns, type PortEvent } from "./port-events.ts"
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

/** A server of the guest that serves each connection by `body`, in a thread. */
const threaded = (port: number, body: string) =>
  `import select, socket, threading
def serve(one):
${body.split("\n").map((line) => `  ${line}`).join("\n")}
listener = socket.create_server(("127.0.0.1", ${port}), backlog=64)
print("ready", flush=True)
while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()`

/** Answers an upgrade, and then each byte by the same byte. */
const upgrading = `head = b""
while not head.endswith(b"\\r\\n\\r\\n"): head += one.recv(1)
one.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n")
while got := one.recv(4096): one.sendall(got)`

/** A WebSocket server that answers each message by the same message, a ping by a pong, and a close by a close. */
const webSocket = `import base64, hashlib
file, head = one.makefile("rb"), []
while (line := file.readline().strip()): head.append(line)
key = next(line for line in head if line.lower().startswith(b"sec-websocket-key")).split(b": ")[1]
accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
one.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: " + accept + b"\\r\\n\\r\\n")
while (head := file.read(2)):
  length = head[1] & 127
  more = file.read({126: 2, 127: 8}.get(length, 0))
  size = int.from_bytes(more, "big") if more else length
  mask, data = file.read(4), file.read(size)
  mask = (mask * (size // 4 + 1))[:size]
  data = (int.from_bytes(mask, "big") ^ int.from_bytes(data, "big")).to_bytes(size, "big")
  kind = head[0] + 1 if head[0] & 15 == 9 else head[0]
  one.sendall(bytes([kind, length]) + more + data)
  if kind & 15 == 8: break
one.shutdown(socket.SHUT_WR)`

/** Ends its side, and notes down what the other side sends after that. */
const endingFirst = (file: string) =>
  `one.sendall(b"bye")
one.shutdown(socket.SHUT_WR)
all = b""
while got := one.recv(4096): all += got
open("${file}", "wb").write(all)`

/** Much more than all buffers on the way. */
const FLOOD_BYTES = 256 * 1024 * 1024
/** More than all buffers on the way: those of four sockets, the agent's and the daemon's. */
const BUFFERED_BYTES = 64 * 1024 * 1024

/** Sends until nothing has taken a byte for a while, and notes down how many. */
const flooding = (file: string) =>
  `one.setblocking(False)
piece, sent = b"x" * 65536, 0
while sent < ${FLOOD_BYTES} and select.select([], [one], [], 1)[1]: sent += one.send(piece)
open("${file}", "w").write(str(sent))
threading.Event().wait()`

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

  describe(`published ports over ${name}`, { concurrent: false }, () => {
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

    it("a server that ends first still gets what the client sends, and an upgraded connection carries both ways", async () => {
      await python("a", threaded(base + 6, endingFirst("/workspace/after")))
      const { hostPort: first } = await publish("a", String(base + 6))
      const socket = await dial(first!)
      assert.strictEqual(await drained(socket), "bye")
      socket.end("after")
      await until("the rest", async () => (await sh("a", "cat after").catch(() => "")) === "after")

      await python("a", threaded(base + 7, upgrading))
      const { hostPort: second } = await publish("a", String(base + 7))
      const headers = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" }
      const request = http.request({ host: "127.0.0.1", port: second!, headers, agent: false }).end()
      const upgraded = await new Promise<Socket>((resolve, reject) =>
        request.once("upgrade", (_, socket: Socket) => resolve(socket)).once("error", reject)
      )
      const frame = Buffer.from([0x81, 0x82, 1, 2, 3, 4, 0x69, 0x6b])
      upgraded.write(frame)
      const answer = await new Promise<Buffer>((resolve) => upgraded.once("data", resolve))
      assert.deepStrictEqual(answer, frame)
      upgraded.destroy()
      for (const port of [base + 6, base + 7]) await call("port-unpublish", { workspace: "a", guest_port: port })
    })

    it("a WebSocket carries small and large messages, pings and its close", async () => {
      await python("a", threaded(base + 4, webSocket))
      const { hostPort } = await publish("a", String(base + 4))
      const socket = new WebSocket(`ws://127.0.0.1:${hostPort}/`)
      const large = Buffer.alloc(1_048_576, "0123456789")
      await once(socket, "open")
      for (const message of ["hello", "x".repeat(300), large]) {
        socket.send(message)
        const [data] = await once(socket, "message") as [Buffer]
        assert.isTrue(data.equals(Buffer.from(message)), `${data.length} bytes`)
      }
      socket.ping("there?")
      assert.strictEqual(String((await once(socket, "pong"))[0]), "there?")
      socket.close(4_000, "done")
      assert.deepStrictEqual((await once(socket, "close")).map(String), ["4000", "done"])
      await call("port-unpublish", { workspace: "a", guest_port: base + 4 })
    })

    it("neither a client that does not read nor a server that does not read fills the memory of pyro", async () => {
      await python("a", threaded(base + 8, flooding("/workspace/sent")))
      const { hostPort: unread } = await publish("a", String(base + 8))
      const idle = (await dial(unread!)).pause()
      await until("a server that waits", async () => (await sh("a", "cat sent").catch(() => "")) !== "")
      assert.isBelow(Number(await sh("a", "cat sent")), BUFFERED_BYTES)

      await python("a", threaded(base + 9, "threading.Event().wait()"))
      const { hostPort: deaf } = await publish("a", String(base + 9))
      const sender = await dial(deaf!)
      sender.on("error", () => {})
      let last = -1
      for (let sent = 0; sent < FLOOD_BYTES; sent += 65_536) sender.write(Buffer.alloc(65_536))
      const taken = () => FLOOD_BYTES - sender.writableLength
      await until("a client that waits", async () => {
        const isStill = taken() === last
        last = taken()
        await sh("a", "sleep 0.3")
        return isStill
      })
      assert.isBelow(taken(), BUFFERED_BYTES)
      idle.destroy()
      sender.destroy()
      for (const port of [base + 8, base + 9]) await call("port-unpublish", { workspace: "a", guest_port: port })
    })

    it("a storm of silent clients leaves other ports and commands alone, and ends with the clients", async () => {
      const [port, other] = [await hostPort("a", base), await hostPort("a", base + 1)]
      let closed = 0
      const all = await Promise.all(Array.from({ length: 1_000 }, async () => {
        const socket = await dial(port)
        // A slow host's queue of new connections overflows. A client that was dropped there hears nothing else.
        socket.setKeepAlive(true, 1_000)
        return socket.on("error", () => {}).on("end", () => socket.destroy()).on("close", () => closed++).resume()
      }))
      await until("the end of clients beyond the limit", () => closed >= 1_000 - 512)
      // A slow client among them is served as well.
      const slow = await dial(other)
      const slowly = drained(slow)
      for (const byte of "slow\n") {
        slow.write(byte)
        assert.strictEqual(await said(other, "beside\n"), "beside\nend\n")
      }
      slow.end()
      assert.strictEqual(await slowly, "slow\nend\n")
      assert.strictEqual(await sh("a", "echo beside"), "beside")
      for (const socket of all) socket.destroy()
      await until("room for a client", async () => (await said(port, "after\n")) === "after\nend\n")
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

    it("a start on another port of the host says so", async () => {
      const port = await hostPort("a", base)
      await call("stop", { workspace: "a" })
      const holder = http.createServer()
      await new Promise<void>((resolve) => holder.listen(port, "127.0.0.1", resolve))
      const { warnings } = await call<{ readonly warnings: ReadonlyArray<{ readonly message: string }> }>("start", {
        workspace: "a"
      })
      const moved = await hostPort("a", base)
      assert.deepStrictEqual(warnings.map(({ message }) => message), [
        `port ${base} of the guest is now published on 127.0.0.1:${moved}: port ${port} of this host is already in use`
      ])
      holder.close()
      await python("a", echo("127.0.0.1", base))
      assert.strictEqual(await said(moved, "moved\n"), "moved\nend\n")
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
      const { events } = await call<{ readonly events: ReadonlyArray<PortEvent> }>("events", { workspace: "a" })
      const kinds = events.map(({ kind }) => kind)
      assert.includeMembers(kinds, [
        "seed",
        "created",
        "port_published",
        "port_unpublished",
        "fork",
        "snapshot",
        "reset"
      ])
      assert.isBelow(kinds.indexOf("stopped"), kinds.indexOf("started"))
      assert.isTrue(await refused(before!.hostPort!))
      checkTurns(events)
      const ofBase = events.flatMap(({ details, kind }) =>
        details["guest_port"] === base || kind === "stopped" || kind === "started" || kind === "reset" ? [kind] : []
      )
      const round = ["port_unpublished", "stopped", "port_published", "started"]
      assert.deepStrictEqual(ofBase, [
        "port_published",
        ...round,
        ...round,
        // The end of the process is no event: the next one listens on the same port.
        "port_unpublished",
        "reset",
        "port_published",
        "port_unpublished",
        "reset"
      ])
    })

    if (driver.triesNetwork) {
      it("a port that a model published ends when the policy no longer lets a model publish, and a person's stays", async () => {
        const policy = (network_policy: string) => call("network-set", { workspace: "a", network_policy })
        const guestPorts = async () => (await ports("a")).map(({ guestPort }) => guestPort)
        const byModel = (guest: number) =>
          call<Port>("port-publish", { workspace: "a", port: String(guest), ceiling: "egress+published-ports" })
        await policy("egress+published-ports")
        await publish("a", String(base))
        const { hostPort: models } = await byModel(base + 1)
        await byModel(base + 2)
        // A person who publishes the same port takes the port over.
        await publish("a", String(base + 2))
        await call("snapshot", { workspace: "a", name: "models" })
        await policy("egress")
        assert.deepStrictEqual(await guestPorts(), [base, base + 2])
        assert.isTrue(await refused(models!))
        assert.include(await failure(byModel(base + 1)), `workspace.network.set {"workspace":"a","network_policy"`)
        // The policy of now holds, also in the state of then.
        await call("reset", { workspace: "a", snapshot: "models" })
        assert.deepStrictEqual(await guestPorts(), [base, base + 2])
        await policy("off")
        assert.deepStrictEqual(await guestPorts(), [base, base + 2])
      })
    }
  })
}
