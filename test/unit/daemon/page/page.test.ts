import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Schedule, Schema, Stream } from "effect"
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import type WebSocket from "ws"
import { WorkspaceNotFound } from "../../../../src/contract/errors/errors.ts"
import type { PyroService } from "../../../../src/contract/rows/Pyro.ts"
import { type ExecEvent, ExecPayload, workspaceExec } from "../../../../src/contract/rows/workspace-exec.ts"
import { eventsOf } from "../../../support/daemon/served-pyro.ts"
import { EVENTS, service } from "../../../support/daemon/wire-service.ts"
import { portHolders } from "../../../support/host/port-holder.ts"
import {
  browse,
  connectTcp,
  get,
  originOf,
  ownRequest,
  untilClosed,
  upgrade
} from "../../../support/web/page-browser.ts"
import { connectPage, connectPausable, pageFolder, servePage } from "./served-page.ts"

const served = Effect.gen(function*() {
  const folder = yield* pageFolder
  const page = yield* servePage(service, folder)
  return { ...page, folder }
})

const list = (client: Effect.Success<ReturnType<typeof connectPage>>) => client.ask("workspace.list", { labels: {} })

const closed = (socket: WebSocket) =>
  Effect.callback<number>((resume) => {
    socket.on("close", (code: number) => resume(Effect.succeed(code)))
  })

describe("the page's connection", () => {
  it.live("results, errors, and events with their bytes are those of the daemon's socket", () =>
    Effect.gen(function*() {
      const { open } = yield* served
      const client = yield* connectPage(yield* browse(yield* open(undefined)))
      assert.deepStrictEqual(yield* list(client), { workspaces: [] })
      assert.instanceOf(yield* Effect.flip(client.ask("workspace.status", { workspace: "w" })), WorkspaceNotFound)
      const payload = Schema.decodeSync(ExecPayload())({ workspace: "w", command: ["true"] })
      assert.deepStrictEqual(
        yield* Stream.runCollect(eventsOf(client, workspaceExec, payload)) as Effect.Effect<unknown>,
        [...EVENTS]
      )
    }))

  it.live("another page, another host name, and a request without cookie or key are refused", () =>
    Effect.gen(function*() {
      const { open } = yield* served
      const browser = yield* browse(yield* open(undefined))
      const other = yield* browse(yield* open(undefined))
      const { headers, protocols } = ownRequest(browser)
      const { port } = browser
      const statusOf = (changed: Partial<Parameters<typeof upgrade>[1]>) =>
        Effect.map(
          Effect.scoped(upgrade(port, { headers, protocols, ...changed })),
          (one) => typeof one === "number" ? one : 101
        )
      assert.strictEqual(yield* statusOf({}), 101)
      const { Origin: _, ...withoutOrigin } = headers
      assert.strictEqual(yield* statusOf({ headers: withoutOrigin }), 403)
      for (
        const origin of [
          "http://evil.example",
          "null",
          `http://127.0.0.1:${port + 1}`,
          `https://127.0.0.1:${port}`,
          `http://localhost:${port}`
        ]
      ) {
        assert.strictEqual(yield* statusOf({ headers: { ...headers, Origin: origin } }), 403, origin)
      }
      // DNS rebinding: the name of the attacker leads to 127.0.0.1, and the browser calls that same-origin.
      const rebound = { ...headers, Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` }
      assert.strictEqual(yield* statusOf({ headers: rebound }), 403)
      assert.strictEqual(yield* statusOf({ headers: { ...headers, Host: "127.0.0.1" } }), 403)
      const local = { ...headers, Host: `localhost:${port}`, Origin: `http://localhost:${port}` }
      assert.strictEqual(yield* statusOf({ headers: local }), 101)
      assert.strictEqual(yield* statusOf({ headers: { Origin: originOf(port) } }), 401)
      assert.strictEqual(yield* statusOf({ headers: { ...headers, Cookie: `${headers.Cookie}x` } }), 401)
      // A guest behind a published port sees the cookie, and never the key.
      assert.strictEqual(yield* statusOf({ protocols: ["pyro"] }), 401)
      assert.strictEqual(yield* statusOf({ protocols: ["pyro", other.key] }), 401)
      assert.strictEqual(yield* statusOf({ protocols: [browser.key, "pyro"] }), 401)
      assert.strictEqual(yield* statusOf({ target: "/" }), 404)
      assert.strictEqual(yield* statusOf({ target: "/rpc/../rpc?x" }), 404)
    }))

  it.live("a message that comes with the handshake is read", () =>
    Effect.gen(function*() {
      const { open } = yield* served
      const browser = yield* browse(yield* open(undefined))
      const { headers, protocols } = ownRequest(browser)
      const socket = yield* connectTcp(browser.port)
      const head = [
        "GET /rpc HTTP/1.1",
        `Host: 127.0.0.1:${browser.port}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        `Sec-WebSocket-Protocol: ${protocols.join(", ")}`,
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
        "",
        ""
      ].join("\r\n")
      // A final binary frame of eight bytes, masked with zeros: a length that no message may have.
      const frame = Buffer.from([0x82, 0x88, 0, 0, 0, 0, 255, 255, 255, 255, 1, 2, 3, 4])
      socket.write(Buffer.concat([Buffer.from(head), frame]))
      let received = Buffer.alloc(0)
      socket.on("data", (part) => void (received = Buffer.concat([received, part])))
      // The answer says that the message cannot be read.
      yield* Effect.sync(() => received.includes("cannot be read")).pipe(
        Effect.repeat({ until: (found) => found, schedule: Schedule.spaced("5 millis") }),
        Effect.timeout("10 seconds")
      )
      assert.include(received.toString("latin1"), "HTTP/1.1 101 ")
    }))

  it.live("a message that is too large, and text, end their connection alone", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const { open } = yield* servePage(service, folder, { limits: { messageBytes: 100_000 } })
      const browser = yield* browse(yield* open(undefined))
      const client = yield* connectPage(browser)
      const large = (yield* upgrade(browser.port, ownRequest(browser))) as WebSocket
      const ended = closed(large)
      large.send(new Uint8Array(100_001))
      assert.strictEqual(yield* ended, 1009)
      const odd = (yield* upgrade(browser.port, ownRequest(browser))) as WebSocket
      odd.send("no message of pyro")
      assert.deepStrictEqual(yield* list(client), { workspaces: [] })
    }))

  it.live("a page that stops reading gets a window of events, and delays no other page", () =>
    Effect.gen(function*() {
      let pulled = 0
      const output = (): ExecEvent => ({
        _tag: "Output",
        from: "stdout",
        bytes: new Uint8Array(65_536),
        next: ++pulled
      })
      const endless: PyroService = {
        ...service,
        workspace: { ...service.workspace, exec: () => Stream.rechunk(Stream.fromEffectRepeat(Effect.sync(output)), 1) }
      }
      const { open, stop } = yield* servePage(endless, yield* pageFolder)
      const browser = yield* browse(yield* open(undefined))
      const client = yield* connectPage(browser)
      const { client: stopped, pause } = yield* connectPausable(browser)
      yield* list(stopped)
      const payload = Schema.decodeSync(ExecPayload())({ workspace: "w", command: ["yes"] })
      yield* Effect.forkScoped(Stream.runDrain(eventsOf(stopped, workspaceExec, payload)))
      yield* Effect.sync(() => pulled).pipe(
        Effect.repeat({ until: (count) => count > 100, schedule: Schedule.spaced("1 millis") })
      )
      yield* pause
      let before = -1
      // The daemon pulls on until the window is used up.
      yield* Effect.andThen(list(client), Effect.sync(() => before === (before = pulled))).pipe(
        Effect.repeat({ until: (isSame) => isSame, schedule: Schedule.spaced("50 millis") }),
        Effect.timeout("10 seconds")
      )
      // The answers that wait do not hold up the end of the daemon.
      yield* Effect.timeout(stop, "5 seconds")
    }), 30_000)

  it.live("200 pages are served at a time, and one beyond the limit is refused", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const { open } = yield* servePage(service, folder, { limits: { webSockets: 200 } })
      const browser = yield* browse(yield* open(undefined))
      const clients = yield* Effect.forEach(Array.from({ length: 200 }), () => connectPage(browser), {
        concurrency: "unbounded"
      })
      const answers = yield* Effect.forEach(clients, list, { concurrency: "unbounded" })
      assert.lengthOf(answers, 200)
      assert.strictEqual(yield* upgrade(browser.port, ownRequest(browser)), 503)
      // Requests for files are others.
      assert.strictEqual((yield* get(browser.port, "/", { Cookie: browser.cookie })).status, 200)
    }), 60_000)

  it.live("closing the page ends its sessions and connections, and frees the port", () =>
    Effect.gen(function*() {
      const { close, folder, open } = yield* served
      const browser = yield* browse(yield* open(undefined))
      const socket = (yield* upgrade(browser.port, ownRequest(browser))) as WebSocket
      const ended = yield* Effect.forkScoped(closed(socket), { startImmediately: true })
      assert.isTrue(yield* close)
      yield* Fiber.join(ended)
      assert.isFalse(yield* close)
      assert.isFalse(fs.existsSync(path.join(folder, "page.json")))
      assert.strictEqual(yield* untilClosed(yield* connectTcp(browser.port)), "")
      yield* open(browser.port)
      assert.strictEqual((yield* get(browser.port, "/", { Cookie: browser.cookie })).status, 401)
    }))
})

describe("the page after a restart of the daemon", () => {
  it.live("a browser goes on at the same port with the same session", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const first = yield* servePage(service, folder)
      const browser = yield* browse(yield* first.open(undefined))
      yield* list(yield* connectPage(browser))
      yield* first.stop
      yield* servePage(service, folder)
      assert.deepStrictEqual(yield* list(yield* connectPage(browser)), { workspaces: [] })
    }))

  it.live("no session survives if another program has the port", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const first = yield* servePage(service, folder)
      const browser = yield* browse(yield* first.open(undefined))
      yield* first.stop
      const other = yield* servePage(service, yield* pageFolder)
      // Nobody gets the port while its holder lives.
      assert.include((yield* Effect.flip(other.open(browser.port))).detail, "is already in use")
      for (const pid of portHolders(folder)) process.kill(pid, "SIGKILL")
      yield* other.open(browser.port).pipe(Effect.retry({ schedule: Schedule.spaced("5 millis") }))
      const log: Array<unknown> = []
      const second = yield* servePage(service, folder).pipe(
        Effect.provide(Logger.layer([Logger.make(({ message }) => void log.push(message))]))
      )
      assert.include(String(log), `port ${browser.port} of 127.0.0.1 is already in use`)
      yield* other.stop
      const opened = yield* second.open(undefined)
      assert.strictEqual((yield* get(opened.port, "/", { Cookie: browser.cookie })).status, 401)
    }))

  it.live("only hashes are on the disk, for this user alone", () =>
    Effect.gen(function*() {
      const { folder, open } = yield* served
      const { cookie, key, port } = yield* browse(yield* open(undefined))
      // Another request of the page follows the exchange of the token.
      yield* open(port)
      const file = path.join(folder, "page.json")
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      const text = fs.readFileSync(file, "utf8")
      assert.include(text, "cookie")
      assert.notInclude(text, cookie.split("=")[1]!)
      assert.notInclude(text, key)
    }))
})

describe("clients of the page's port that mean harm", () => {
  it.live("a head that never ends, and one that is too long, end their connection", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const { open } = yield* servePage(service, folder, { limits: { headMs: 200 } })
      const { port } = yield* open(undefined)
      const slow = yield* connectTcp(port)
      slow.write("GET / HTTP/1.1\r\nHost: x\r\n")
      assert.include(yield* untilClosed(slow), " 408 ")
      const long = yield* connectTcp(port)
      long.write(`GET / HTTP/1.1\r\nCookie: ${"x".repeat(64 * 1024)}\r\n`)
      assert.include(yield* untilClosed(long), " 431 ")
    }))

  it.live("programs of another user of the host cannot connect", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const own = process.getuid!()
      const { open } = yield* servePage(service, folder, { limits: { user: own + 1 } })
      const { port } = yield* open(undefined)
      const socket = yield* connectTcp(port)
      socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
      assert.strictEqual(yield* untilClosed(socket), "")
      const mine = yield* servePage(service, yield* pageFolder, { limits: { user: own } })
      assert.strictEqual((yield* get((yield* mine.open(undefined)).port, "/")).status, 401)
    }))
})

describe("a page of root's daemon", () => {
  const asNobody = promisify(execFile)
  const program =
    `fetch(process.argv[1], { headers: { Cookie: process.argv[2] } }).then(({ status }) => console.log(status))`

  // Only root can have programs of two users.
  it.live.runIf(process.getuid!() === 0)(
    "another user's program has no use of a session, and an own token opens the page",
    () =>
      Effect.gen(function*() {
        const { open } = yield* served
        const { cookie, port } = yield* browse(yield* open(undefined))
        assert.strictEqual((yield* get(port, "/", { Cookie: cookie })).status, 200)
        const statusOf = (target: string) =>
          Effect.promise(async () => {
            const { stdout } = await asNobody(
              process.execPath,
              ["-e", program, `http://127.0.0.1:${port}${target}`, cookie],
              { uid: 65_534, gid: 65_534, cwd: "/", env: {} }
            )
            return Number(stdout)
          })
        assert.strictEqual(yield* statusOf("/"), 401)
        const { token } = yield* open(undefined)
        assert.strictEqual(yield* statusOf(`/?token=${token}`), 200)
      })
  )
})

describe("a page that cannot be opened", () => {
  it.live("a port in use and a page that is not built are refused with their reason", () =>
    Effect.gen(function*() {
      const { folder, open } = yield* served
      const { port } = yield* open(undefined)
      const other = yield* servePage(service, yield* pageFolder)
      const refusal = yield* Effect.flip(other.open(port))
      assert.strictEqual(refusal.detail, `port ${port} of 127.0.0.1 is already in use`)
      fs.rmSync(path.join(folder, "web"), { recursive: true })
      const unbuilt = yield* servePage(service, folder)
      assert.include((yield* Effect.flip(unbuilt.open(undefined))).detail, "has no page")
    }))
})
