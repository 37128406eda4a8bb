import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, assert, describe, it } from "vitest"
import { type HeldPort, holdPort, PortNotHeld } from "../../../../src/system/processes/held-port.ts"
import { nativeDirectory } from "../../../../src/system/processes/native.ts"
import { portHolders } from "../../../support/host/port-holder.ts"
import { untilTrue } from "../../../support/until.ts"

const tool = path.join(nativeDirectory(), "pyro-port")
const isRoot = process.getuid!() === 0
const NOBODY = 65_534

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const folder = () => {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-port-"))
  cleanups.push(() => fs.rmSync(made, { recursive: true, force: true }))
  return made
}

const hold = async (directory: string, port = 0) => {
  const held = await holdPort(tool, directory, port)
  const accepted: Array<net.Socket> = []
  held.listener.on("connection", (socket) => void accepted.push(socket.on("error", () => {})))
  cleanups.push(() => {
    held.keep(false)
    for (const socket of accepted) socket.destroy()
    held.listener.close()
    return held.release()
  })
  return { held, port: (held.listener.address() as net.AddressInfo).port }
}

const connect = (options: net.TcpNetConnectOpts) =>
  new Promise<net.Socket>((resolve, reject) => {
    const socket = net.connect(options)
    socket.on("error", reject)
    socket.once("connect", () => resolve(socket))
    cleanups.push(() => void socket.destroy())
  })

/** Runs a line of JavaScript as a user who owns nothing of this process. */
const asNobody = (script: string) =>
  execFileSync(process.execPath, ["-e", script], { uid: NOBODY, gid: NOBODY, cwd: "/", env: {} }).toString()

/** Result of listening at an address as another user. */
const listensAt = (host: string, port: number) =>
  asNobody(
    `require("net").createServer().on("error", (e) => console.log(e.code)).listen({ host: "${host}", port: ${port} }, ` +
      `function () { console.log("listens"); this.close() })`
  ).trim()

/** Ends this process's part of a port that stays taken, as the end of a daemon does. */
const leave = async ({ listener, release }: HeldPort) => {
  listener.close()
  await release()
}

const rejection = (held: Promise<HeldPort>) =>
  held.then(() => assert.fail("the port is held"), (cause: unknown) => {
    assert.instanceOf(cause, PortNotHeld)
    return cause
  })

const isRefused = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = net.connect({ host: "127.0.0.1", port })
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED"))
    socket.once("connect", () => {
      socket.destroy()
      resolve(false)
    })
  })

const holderOf = (directory: string) => portHolders(directory)[0]!

describe("the user at the other end of a connection", () => {
  it("the kernel names the user of exactly this connection, whichever family its socket has", async () => {
    const { held, port } = await hold(folder())
    for (const host of ["127.0.0.1", "::ffff:127.0.0.1"]) {
      const socket = await connect({ host, port })
      assert.strictEqual(await held.userAt(socket.localPort!), process.getuid!(), host)
    }
    const other = await connect({ host: "127.0.0.1", port, localAddress: "127.0.0.2" })
    assert.isUndefined(await held.userAt(other.localPort!))
    assert.isUndefined(await held.userAt(port))
  })

  it.runIf(isRoot)("a socket of another user with the same port of another address is another connection", async () => {
    const { held, port } = await hold(folder())
    const own = await connect({ host: "127.0.0.1", port })
    const child = spawn(
      process.execPath,
      [
        "-e",
        `require("net").connect({ host: "127.0.0.1", port: ${port}, localAddress: "127.0.0.2", localPort: ${own.localPort} })` +
        `.on("connect", () => console.log("connected"))`
      ],
      { uid: NOBODY, gid: NOBODY, cwd: "/", env: {}, stdio: ["ignore", "pipe", "inherit"] }
    )
    cleanups.push(() => child.kill())
    await new Promise((resolve) => child.stdout.once("data", resolve))
    assert.strictEqual(await held.userAt(own.localPort!), 0)
    own.destroy()
    await untilTrue(async () => await held.userAt(own.localPort!) === undefined)
  })

  it("a client that has closed its socket has no user", async () => {
    const { held, port } = await hold(folder())
    const socket = await connect({ host: "127.0.0.1", port })
    const client = socket.localPort!
    socket.destroy()
    // Nobody reads at the other end, so the kernel keeps the connection for a while.
    await untilTrue(async () => await held.userAt(client) === undefined)
  })

  it("the length of the host's table is of no account: questions about 1,000 connections are answered in their order", async () => {
    const { held, port } = await hold(folder())
    const sockets = await Promise.all(Array.from({ length: 1_000 }, () => connect({ host: "127.0.0.1", port })))
    const users = await Promise.all(sockets.flatMap(({ localPort }) => [held.userAt(localPort!), held.userAt(1)]))
    assert.deepStrictEqual(users, sockets.flatMap(() => [process.getuid!(), undefined]))
  })

  it("the end of pyro-port answers each question with nobody, and is told once", async () => {
    const directory = folder()
    const { held, port } = await hold(directory)
    const lost = new Promise<void>((resolve) => held.onLost(resolve))
    const socket = await connect({ host: "127.0.0.1", port })
    process.kill(holderOf(directory), "SIGKILL")
    await lost
    assert.isUndefined(await held.userAt(socket.localPort!))
  })
})

describe("a port that stays taken between two daemons", () => {
  it("the next process has the same listener, and clients meanwhile are refused", async () => {
    const directory = folder()
    const { held, port } = await hold(directory)
    assert.isFalse(held.wasHeld)
    held.keep(true)
    await leave(held)
    assert.strictEqual((await rejection(holdPort(tool, folder(), port))).reason, "EADDRINUSE")
    const client = await connect({ host: "127.0.0.1", port }).catch((cause: NodeJS.ErrnoException) => cause.code)
    if (client instanceof net.Socket) {
      await new Promise((resolve) => client.once("close", resolve).on("error", () => {}))
    }
    const next = await hold(directory, port)
    assert.isTrue(next.held.wasHeld)
    assert.strictEqual(next.port, port)
    const socket = await connect({ host: "127.0.0.1", port })
    assert.strictEqual(await next.held.userAt(socket.localPort!), process.getuid!())
  })

  it("an unneeded port is free with the end of its process", async () => {
    const directory = folder()
    const { held, port } = await hold(directory)
    held.keep(true)
    held.keep(false)
    await leave(held)
    assert.isTrue(await isRefused(port))
    assert.deepStrictEqual(fs.readdirSync(directory), [])
    assert.isFalse((await hold(directory, port)).held.wasHeld)
  })

  it("the port is free after the end of its holder, and the next process is told", async () => {
    const directory = folder()
    const { held, port } = await hold(directory)
    held.keep(true)
    await leave(held)
    process.kill(holderOf(directory), "SIGKILL")
    await untilTrue(() => isRefused(port))
    assert.isFalse((await hold(directory, port)).held.wasHeld)
  })

  it("the holder ends with its directory", async () => {
    const directory = folder()
    const { held, port } = await hold(directory)
    held.keep(true)
    await leave(held)
    fs.rmSync(directory, { recursive: true })
    await untilTrue(() => isRefused(port))
  })

  it.runIf(isRoot)("another user cannot listen at any address that a browser tries, nor get the sockets", async () => {
    const directory = folder()
    const { held, port } = await hold(directory)
    const hosts = ["127.0.0.1", "0.0.0.0", "::1", "::"]
    assert.deepStrictEqual(hosts.map((host) => listensAt(host, port)), hosts.map(() => "EADDRINUSE"))
    held.keep(true)
    await leave(held)
    assert.deepStrictEqual(hosts.map((host) => listensAt(host, port)), hosts.map(() => "EADDRINUSE"))
    fs.chmodSync(directory, 0o777)
    fs.chmodSync(path.join(directory, `page-${port}.sock`), 0o777)
    assert.strictEqual(
      asNobody(
        `require("net").connect("${directory}/page-${port}.sock").on("data", () => console.log("bytes")).on("close", () => console.log("closed"))`
      ).trim(),
      "closed"
    )
    assert.isTrue((await hold(directory, port)).held.wasHeld)
  })

  it("a service of ::1 is no neighbour: its port is in use", async () => {
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen({ host: "::1", port: 0 }, resolve))
    cleanups.push(() => void server.close())
    const { port } = server.address() as net.AddressInfo
    const refused = await rejection(holdPort(tool, folder(), port))
    assert.deepStrictEqual([refused.reason, refused.where], ["EADDRINUSE", "::1"])
  })
})
