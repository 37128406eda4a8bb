import { Effect, type Scope } from "effect"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as http from "node:http"
import * as http2 from "node:http2"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as tls from "node:tls"
import type { Interception } from "../../../../../src/lib/network/both/intercept/interception.ts"
import { makeAuthority } from "../../../../../src/lib/network/dialer/intercept/certificates.ts"
import { intercept } from "../../../../../src/lib/network/dialer/intercept/intercept.ts"
import { Heads } from "../../../../../src/lib/network/dialer/intercept/request.ts"
import { makeTestAuthority, type TestAuthority } from "../../../../support/network/certificates.ts"

export const HOST = "server.test"
export const PLACEHOLDER = "pyro_secret_TOKEN_00000000000000000000000000000001"
export const FOREIGN = "pyro_secret_OTHER_00000000000000000000000000000002"
export const VALUE = "s3cret-value"

const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port

/** Listens on the loopback interface, and closes with the Scope. */
export const listen = <S extends net.Server>(server: S): Effect.Effect<number, never, Scope.Scope> =>
  Effect.gen(function*() {
    const sockets = new Set<net.Socket>()
    server.on("connection", (socket: net.Socket) => {
      sockets.add(socket)
      socket.on("error", () => {}).once("close", () => sockets.delete(socket))
    })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        server.close()
        for (const socket of sockets) socket.destroy()
      })
    )
    yield* Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
    return portOf(server)
  })

/** Connects guests with a server through interceptions. */
export interface Intercepted {
  /** Where guests connect. */
  readonly port: number
  /** Folder of this test. */
  readonly folder: string
  /** File of the authority that guests trust. */
  readonly caFile: string
  readonly ca: string
  readonly denials: ReadonlyArray<string>
}

/** The real host's own authority and certificate. */
export const makeIdentity = Effect.promise(async () => {
  const authority = await makeTestAuthority()
  return { authority, ...await authority.identityOf(HOST) }
})
export type Identity = Effect.Success<typeof makeIdentity>

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "intercepted-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

export interface Options {
  readonly identity: Identity
  /** Port of the real host. */
  readonly upstream: number
  readonly header?: string
  readonly value?: string
  /** Trusts another authority than the host's. */
  readonly trusted?: TestAuthority
}

export const makeIntercepted = (
  { header, identity, trusted = identity.authority, upstream, value = VALUE }: Options
): Effect.Effect<Intercepted, never, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const authority = yield* Effect.promise(() => makeAuthority({ hosts: [HOST], nowMs: Date.now() }))
    const files = { ca: join(folder, "ca.pem"), trust: join(folder, "trust.pem") }
    writeFileSync(files.ca, authority.certificate)
    writeFileSync(files.trust, trusted.certificate)
    const interception: Interception = {
      authority,
      secrets: [{ name: "TOKEN", placeholder: PLACEHOLDER, value, header }],
      foreign: [{ name: "OTHER", placeholder: FOREIGN }],
      trust: { file: files.trust, extraFile: undefined },
      nowMs: Date.now()
    }
    const denials: Array<string> = []
    const heads = new Heads()
    const join2 = (guest: net.Socket) => {
      const socket = net.connect({ port: upstream, host: "127.0.0.1", allowHalfOpen: true })
      socket.pause()
      socket.once("connect", () => {
        void intercept({ socket, host: HOST, interception, heads, onDenied: (detail) => denials.push(detail) }).then(
          (near) => {
            near.on("error", () => {}).once("close", () => guest.destroySoon())
            guest.once("close", () => near.destroy())
            guest.pipe(near).pipe(guest)
          }
        )
      })
    }
    const port = yield* listen(net.createServer({ allowHalfOpen: true }, join2))
    return { port, folder, caFile: files.ca, ca: authority.certificate, denials }
  })

/** A server of HTTP/1.1 with TLS. */
export const listenHttps = (
  { cert, key }: Identity,
  handler: http.RequestListener,
  onUpgrade?: (request: http.IncomingMessage, socket: net.Socket) => void
) => {
  const server = http.createServer(handler)
  if (onUpgrade !== undefined) server.on("upgrade", onUpgrade)
  return listen(
    tls.createServer({ cert, key, ALPNProtocols: ["http/1.1"] }, (socket) => {
      socket.on("error", () => {})
      server.emit("connection", socket)
    })
  )
}

/** A server of HTTP/2 alone. */
export const listenHttp2 = (
  { cert, key }: Identity,
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void
) => {
  const server = http2.createSecureServer({ cert, key })
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {})
    onStream(stream, headers)
  })
  server.on("sessionError", () => {})
  return listen(server as unknown as net.Server)
}

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a client of the host. */
export const run = (
  program: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}
): Effect.Effect<Ran> =>
  Effect.callback((resume) => {
    execFile(program, args, {
      timeout: 60_000,
      maxBuffer: 64 << 20,
      cwd: options.cwd,
      env: { ...process.env, ...options.env }
    }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resume(Effect.succeed({ status, stdout, stderr }))
    })
  })

/** curl, as a guest's program would call the host. */
export const curl = ({ caFile, port }: Intercepted, path: string, ...args: ReadonlyArray<string>) =>
  run("curl", [
    "-sS",
    "--max-time",
    "30",
    "--cacert",
    caFile,
    "--resolve",
    `${HOST}:${port}:127.0.0.1`,
    ...args,
    `https://${HOST}:${port}${path}`
  ])

/** Speaks TLS as a guest, for bytes that no client sends. Gives all that the server answers. */
export const speak = (
  { ca, port }: Intercepted,
  bytes: string | Buffer,
  options: tls.ConnectionOptions = {}
): Effect.Effect<string> =>
  Effect.callback((resume) => {
    let answer = ""
    const socket = tls.connect({ host: "127.0.0.1", port, ca, servername: HOST, ...options })
    socket.on("error", (error: NodeJS.ErrnoException) => (answer += `<${error.code ?? error.message}>`))
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")))
    socket.once("secureConnect", () => socket.write(bytes))
    socket.once("close", () => resume(Effect.succeed(answer)))
    return Effect.sync(() => socket.destroy())
  })
