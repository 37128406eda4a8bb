import { it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe } from "vitest"
import { nativeTool } from "../../../src/system/processes/native.ts"
import { untilTrue } from "../../support/until.ts"

const LINE = "hello {\"a\":1}"

/** A folder whose name is longer than the address of a socket. */
const longFolder = () => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-relay-"))
  const folder = path.join(base, "x".repeat(150))
  fs.mkdirSync(folder)
  return { base, folder }
}

/** A server at a socket, its first connection, and a relay to it. */
const relayed = async <A>(
  use: (given: {
    readonly child: ChildProcessWithoutNullStreams
    readonly connection: net.Socket
    readonly received: Array<Buffer>
    readonly ended: Promise<unknown>
  }) => Promise<A>
) => {
  const { base, folder } = longFolder()
  const cwd = process.cwd()
  // The server's own address is short as well.
  process.chdir(folder)
  const server = net.createServer().listen("socket")
  await once(server, "listening")
  process.chdir(cwd)
  const program = await Effect.runPromise(nativeTool("pyro-relay"))
  const child = spawn(program, [path.join(folder, "socket"), LINE])
  const received: Array<Buffer> = []
  child.stdout.on("data", (bytes: Buffer) => received.push(bytes))
  // Its end is what a test looks at.
  child.stdin.on("error", () => {})
  const ended = once(child, "close")
  try {
    const [connection] = await once(server, "connection") as [net.Socket]
    return await use({ child, connection, received, ended })
  } finally {
    child.kill()
    await ended
    server.close()
    fs.rmSync(base, { recursive: true })
  }
}

const large = Buffer.alloc(4 * 1024 * 1024, "0123456789abcdef\n")

describe("pyro-relay", () => {
  it.live("gives its line first, and carries all bytes both ways at once", () =>
    Effect.promise(() =>
      relayed(async ({ child, connection, received }) => {
        const up: Array<Buffer> = []
        connection.on("data", (bytes: Buffer) => up.push(bytes))
        child.stdin.write(large)
        connection.write(large)
        const size = (all: ReadonlyArray<Buffer>) => all.reduce((sum, { length }) => sum + length, 0)
        await untilTrue(() => size(up) >= large.length && size(received) >= large.length + LINE.length + 1)
        assert.isTrue(Buffer.concat(up).equals(large))
        assert.isTrue(Buffer.concat(received).equals(Buffer.concat([Buffer.from(`${LINE}\n`), large])))
      })
    ))

  it.live("carries one way while the other way waits for its reader", () =>
    Effect.promise(() =>
      relayed(async ({ child, connection, received }) => {
        // Nobody reads the connection.
        child.stdin.write(large)
        connection.write("through")
        await untilTrue(() => Buffer.concat(received).includes("through"))
      })
    ))

  it.live("ends with its stdin, and the connection with it", () =>
    Effect.promise(() =>
      relayed(async ({ child, connection, ended }) => {
        connection.resume()
        const closed = once(connection, "close")
        child.stdin.end("last")
        assert.deepStrictEqual(await ended, [0, null])
        await closed
      })
    ))

  it.live("ends with the connection, after the connection's last byte", () =>
    Effect.promise(() =>
      relayed(async ({ connection, ended, received }) => {
        connection.end(large)
        assert.deepStrictEqual(await ended, [0, null])
        assert.isTrue(Buffer.concat(received).equals(Buffer.concat([Buffer.from(`${LINE}\n`), large])))
      })
    ))

  it.live("without a socket says so, and nothing on stdout", () =>
    Effect.promise(async () => {
      const program = await Effect.runPromise(nativeTool("pyro-relay"))
      for (const socket of ["/nowhere/socket", "socket", "/", ""]) {
        const child = spawn(program, [socket, LINE])
        let [out, said] = ["", ""]
        child.stdout.on("data", (bytes: Buffer) => out += bytes.toString())
        child.stderr.on("data", (bytes: Buffer) => said += bytes.toString())
        assert.deepStrictEqual(await once(child, "close"), [1, null], socket)
        assert.deepStrictEqual([out, /cannot be opened/.test(said)], ["", true], socket)
      }
    }))
})
