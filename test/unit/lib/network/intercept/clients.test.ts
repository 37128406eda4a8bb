import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { clientScripts } from "../../../../support/network/private/clients.ts"
import { privateServer } from "../../../../support/network/private/server.ts"
import {
  HOST,
  type Intercepted,
  listen,
  listenHttps,
  makeIdentity,
  makeIntercepted,
  PLACEHOLDER,
  run,
  VALUE
} from "./intercepted.ts"

const root = path.resolve(import.meta.dirname, "../../../../..")

/** A proxy that leads every client to the interception, whatever the name is. */
const listenProxy = (port: number) =>
  listen(net.createServer((socket) => {
    socket.once("data", () => {
      const far = net.connect({ port, host: "127.0.0.1" })
      far.on("error", () => socket.destroy()).once("close", () => socket.destroySoon())
      socket.once("close", () => far.destroy())
      far.once("connect", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n")
        far.pipe(socket).pipe(far)
      })
    })
  }))

interface Client extends Intercepted {
  readonly requests: ReadonlyArray<string>
  /** Runs a script as a guest would, with the placeholder alone. */
  readonly sh: (script: string) => Effect.Effect<string>
}

/** npm passes its settings on, which may replace the authorities. */
const withoutNpmSettings = Object.fromEntries(
  Object.keys(process.env).filter((name) => /^npm_config_/i.test(name)).map((name) => [name, undefined])
)

const setUp: Effect.Effect<Client, never, Scope.Scope> = Effect.gen(function*() {
  const identity = yield* makeIdentity
  const { listener, requests } = yield* Effect.acquireRelease(
    Effect.sync(() => privateServer(HOST, VALUE)),
    ({ close }) => Effect.sync(close)
  )
  const upstream = yield* listenHttps(identity, listener)
  const guest = yield* makeIntercepted({ identity, upstream })
  const proxy = yield* listenProxy(guest.port)
  const bundle = guest.caFile
  const env = {
    HOME: guest.folder,
    TOKEN: PLACEHOLDER,
    HTTPS_PROXY: `http://127.0.0.1:${proxy}`,
    https_proxy: `http://127.0.0.1:${proxy}`,
    SSL_CERT_FILE: bundle,
    NODE_EXTRA_CA_CERTS: bundle,
    GIT_SSL_CAINFO: bundle,
    GIT_CONFIG_GLOBAL: "/dev/null",
    ...withoutNpmSettings,
    npm_config_globalconfig: path.join(guest.folder, "global"),
    npm_config_userconfig: path.join(guest.folder, "user"),
    GIT_TERMINAL_PROMPT: "0"
  }
  return {
    ...guest,
    requests,
    sh: (script: string) =>
      Effect.map(run("sh", ["-ec", script], { cwd: guest.folder, env }), ({ status, stderr, stdout }) => {
        assert.strictEqual(status, 0, stdout + stderr)
        return stdout
      })
  }
})

const usesValue = ({ denials, requests }: Client) => {
  assert.deepStrictEqual(denials, [])
  const sent = requests.join("\n")
  assert.notInclude(sent, PLACEHOLDER)
  assert.notInclude(sent, Buffer.from(`user:${PLACEHOLDER}`).toString("base64"))
}

const scripts = clientScripts(HOST)

describe("a client that has a placeholder alone", () => {
  it.live("git clones, fetches and pushes", () =>
    Effect.gen(function*() {
      const client = yield* setUp
      assert.match(yield* client.sh(scripts.git), /^git demo\nsecond\n$/)
      usesValue(client)
    }))

  for (const [login, script] of [["a token", scripts.npm], ["Basic credentials", scripts.npmBasic]] as const) {
    it.live(`npm installs with ${login}`, () =>
      Effect.gen(function*() {
        const client = yield* setUp
        assert.strictEqual(yield* client.sh(script), "npm demo\n")
        usesValue(client)
      }))
  }
})

const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

const CLOSE = 8

/** Accepts WebSockets, and sends each short text back (RFC 6455). */
const echoWebSocket = (request: { readonly headers: NodeJS.Dict<string | Array<string>> }, socket: net.Socket) => {
  if (request.headers["authorization"] !== `Bearer ${VALUE}`) return void socket.end("HTTP/1.1 401 Denied\r\n\r\n")
  const key = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${WEBSOCKET_GUID}`).digest("base64")
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`
  )
  socket.on("data", (frame: Buffer) => {
    const [first = 0, second = 0] = frame
    const size = second & 0x7f
    const mask = frame.subarray(2, 6)
    const payload = Buffer.from(frame.subarray(6, 6 + size).map((byte, at) => byte ^ mask[at % 4]!))
    socket.write(Buffer.concat([Buffer.from([first, size]), payload]))
    if ((first & 0xf) === CLOSE) socket.end()
  })
}

/** Leads Node's look-ups to this host. */
const lookUpHere = "require('dns').lookup = (name, options, done) => {\n" +
  "  const give = done ?? options\n" +
  "  options.all ? give(null, [{ address: '127.0.0.1', family: 4 }]) : give(null, '127.0.0.1', 4)\n" +
  "}\n"

describe("a WebSocket client that has a placeholder alone", () => {
  const clients = [
    ["ws", "const WebSocket = require('ws')\nconst options = [{ headers }]\n"],
    ["Node's own", "const options = [{ headers }]\n"]
  ] as const
  for (const [name, client] of clients) {
    it.live(`${name} exchanges messages`, () =>
      Effect.gen(function*() {
        const identity = yield* makeIdentity
        const upstream = yield* listenHttps(identity, (_, response) => response.end(), echoWebSocket)
        const { caFile, denials, folder, port } = yield* makeIntercepted({ identity, upstream })
        const script = path.join(folder, "client.cjs")
        fs.writeFileSync(
          script,
          `${lookUpHere}const headers = { Authorization: 'Bearer ${PLACEHOLDER}' }\n${client}` +
            `const socket = new WebSocket('wss://${HOST}:${port}/chat', ...options)\n` +
            "socket.onopen = () => socket.send('first')\n" +
            "socket.onerror = ({ message }) => console.log(message)\n" +
            "socket.onmessage = ({ data }) => {\n" +
            "  console.log(data)\n" +
            "  data === 'first' ? socket.send('last') : socket.close(1000)\n" +
            "}\n" +
            "socket.onclose = ({ code }) => console.log(code)\n"
        )
        const { status, stderr, stdout } = yield* run(
          process.execPath,
          ["--experimental-websocket", "-e", `require(${JSON.stringify(script)})`],
          { cwd: root, env: { NODE_EXTRA_CA_CERTS: caFile, NODE_PATH: path.join(root, "node_modules") } }
        )
        assert.strictEqual(status, 0, stderr)
        assert.strictEqual(stdout, "first\nlast\n1000\n", stderr)
        assert.deepStrictEqual(denials, [])
      }))
  }
})
