import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import { makeDoorOpen } from "../../../src/remote/open-door.ts"
import { layerRemote } from "../../../src/sdk/client.ts"
import { type ListenOptions, openDoor } from "../../../src/serve/listen.ts"
import { addToken, revokeToken } from "../../../src/serve/tokens.ts"
import { daemonFiles, Paths } from "../../../src/system/files/Paths.ts"
import { ProcessVariables } from "../../../src/system/settings/config.ts"
import { servePyro, socketFolder } from "../daemon/served-pyro.ts"

/** A door of a test's own in front of a daemon with these operations, and what its owner does beside it. */
export const openedDoor = (pyro: PyroService, options: Partial<ListenOptions> = {}) =>
  Effect.gen(function*() {
    const stateDir = path.join(yield* socketFolder, "state")
    fs.mkdirSync(stateDir, { mode: 0o700 })
    const own = Paths.layerIn(stateDir)
    const { door, socket } = yield* Effect.provide(daemonFiles, own)
    const served = yield* servePyro(pyro, { socket, door })
    const events: Array<{ readonly event: string }> = []
    const opened = yield* openDoor({ listen: "127.0.0.1:0", ...options }, {
      start: { version: "0.1.0 (00000000)", command: ["false"] },
      record: (event) => void events.push(event)
    }).pipe(Effect.provide(own))
    const scheme = options.tlsCert === undefined ? "ws" : "wss"
    const url = `${scheme}://${options.tlsCert === undefined ? "127.0.0.1" : "localhost"}:${opened.port}`
    const token = (
      name: string,
      more: { readonly tenant?: string; readonly role?: "viewer" | "user" | "owner" } = {}
    ) =>
      Effect.map(Effect.provide(addToken({ role: "user", expires: "never", ...more, name }), own), ({ token }) => token)
    /** A line with a token, as the client opens it. */
    const line = (text: string, files: { readonly ca?: string; readonly cert?: string; readonly key?: string } = {}) =>
      makeDoorOpen({ name: "no-such-context", url, ...files }).pipe(
        Effect.updateService(ProcessVariables, (values) => ({ ...values, PYRO_TOKEN: text, PYRO_STATE_DIR: stateDir }))
      )
    const client = (text: string, files = {}) =>
      Effect.flatMap(
        Layer.build(layerRemote(line(text, files), { pingMs: 60_000 })),
        (context) => Effect.provide(Pyro, Layer.succeedContext(context))
      )
    return {
      ...served,
      port: opened.port,
      door: opened.door,
      url,
      events,
      stateDir,
      token,
      revoke: (name: string) => Effect.provide(revokeToken(name), own),
      line,
      client
    }
  })

/** A plain TCP connection, with what has come and whether it has ended. */
export const rawConnection = (port: number, address = "127.0.0.1") =>
  Effect.acquireRelease(
    Effect.callback<{ readonly socket: net.Socket; readonly said: () => string; readonly hasEnded: () => boolean }>(
      (resume) => {
        const socket = net.connect({ port, host: "127.0.0.1", localAddress: address })
        let said = ""
        let hasEnded = false
        const opened = { socket, said: () => said, hasEnded: () => hasEnded }
        socket.on("data", (bytes: Buffer) => void (said += bytes.toString("latin1")))
        socket.on("error", () => {})
        socket.on("close", () => {
          hasEnded = true
          resume(Effect.succeed(opened))
        })
        socket.on("connect", () => resume(Effect.succeed(opened)))
      }
    ),
    ({ socket }) => Effect.sync(() => void socket.destroy())
  )

/** The head with which a client asks for a line. */
export const upgrade = (headers: Readonly<Record<string, string>>, target = "/v1/line") =>
  [
    `GET ${target} HTTP/1.1`,
    ...Object.entries({
      Host: "localhost",
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol": "pyro.portable.1",
      ...headers
    }).map(([name, value]) => `${name}: ${value}`),
    "",
    ""
  ].join("\r\n")
