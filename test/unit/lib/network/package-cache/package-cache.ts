import { Effect } from "effect"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import * as http from "node:http"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { DialMessage } from "../../../../../src/lib/network/both/dial/protocol.ts"
import { serve } from "../../../../../src/lib/network/dialer/package-cache/serve.ts"
import { fileOf } from "../../../../../src/lib/network/dialer/package-cache/store.ts"
import type { CacheAccess, RegistryKind, Served } from "../../../../../src/lib/network/model/cache-access.ts"
import { until } from "../../../../support/until.ts"
import { listen } from "../intercept/intercepted.ts"

export const NPM_HOST = "registry.npmjs.org"
export const PYPI_HOST = "pypi.org"
export const FILES_HOST = "files.pythonhosted.org"
const MIB = 1024 * 1024

export const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "package-cache-"))),
  // A cache keeps what was served behind the answer, and so may write while the folder is removed.
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
)

export interface Options {
  readonly kind?: RegistryKind
  readonly handler: http.RequestListener
  /** The registry without a server of HTTP. @default a server with the handler */
  readonly server?: net.Server
  /** @default a new folder */
  readonly directory?: string
  readonly maxBytes?: number
  readonly link?: CacheAccess["link"]
  readonly group?: string
  /** @default the host of the kind */
  readonly name?: string
  readonly redirects?: CacheAccess["redirects"]
}

export const HOSTS: Readonly<Record<RegistryKind, string>> = {
  npm: NPM_HOST,
  "pypi-index": PYPI_HOST,
  "pypi-files": FILES_HOST,
  debian: "deb.debian.org",
  "crates-index": "index.crates.io",
  "crates-files": "static.crates.io",
  go: "proxy.golang.org",
  "go-sums": "sum.golang.org",
  maven: "repo.maven.apache.org",
  images: "registry.example.com"
}

/** A registry behind a proxy, which can go away, and the cache in front of both. */
export const makePackageCache = (options: Options) =>
  Effect.gen(function*() {
    const { group = "guest", handler, kind = "npm", link, name = HOSTS[kind], redirects, maxBytes = 64 * MIB } = options
    const directory = options.directory ?? join(yield* temporary, "downloads")
    const asked: Array<string> = []
    const state = { isReachable: true }
    const registry = yield* listen(
      options.server ?? http.createServer((request, response) => {
        if (!state.isReachable) return void request.socket.destroy()
        asked.push(`${request.method} ${request.url}`)
        handler(request, response)
      })
    )
    const proxy = yield* listen(
      http.createServer().on("connect", (_, socket: net.Socket) => {
        if (!state.isReachable) return void socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n")
        const onward = net.connect(registry, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"))
        onward.on("error", () => socket.destroy()).pipe(socket)
        socket.on("error", () => onward.destroy()).pipe(onward)
      })
    )
    const dial: DialMessage = {
      _tag: "Dial",
      id: 1,
      name,
      address: undefined,
      port: 80,
      allowIps: [],
      group: `${group} ${directory}`,
      proxies: { http: `http://127.0.0.1:${proxy}`, https: undefined, all: undefined, no: undefined }
    }
    const served: Array<Served> = []
    const front: number = yield* listen(net.createServer({ allowHalfOpen: true }, (socket) => {
      const access: CacheAccess = {
        kind,
        names: [`127.0.0.1:${front}`, "cache.test", HOSTS[kind]],
        link,
        redirects,
        directory,
        maxBytes,
        reserveBytes: 0,
        trust: { file: undefined, extraFile: undefined }
      }
      serve(socket, { dial, trust: access.trust }, access, (got) => served.push(got))
    }))
    return { asked, directory, port: front, served, state }
  })
export type PackageCacheFront = Effect.Success<ReturnType<typeof makePackageCache>>

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
  /** The answer ended early. */
  readonly isCut: boolean
}

/** Sends one request to the cache, over a connection of its own. */
export const get = (
  { port }: { readonly port: number },
  path: string,
  { headers = {}, method = "GET" }: { readonly headers?: http.OutgoingHttpHeaders; readonly method?: string } = {}
) =>
  Effect.callback<Answer, Error>((resume) => {
    const request = http.request({
      port,
      host: "127.0.0.1",
      path,
      method,
      agent: false,
      headers: {
        host: "cache.test",
        ...headers
      }
    })
    request.once("response", (response) => {
      const chunks: Array<Buffer> = []
      const settle = () =>
        resume(Effect.succeed({
          status: response.statusCode!,
          headers: response.headers,
          body: Buffer.concat(chunks),
          isCut: !response.complete
        }))
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {}).once("close", settle)
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.end()
  })

/** File of an entry, once it is there: a client gets the last bytes before. */
export const keptFile = ({ directory }: { readonly directory: string }, key: string) =>
  Effect.gen(function*() {
    const file = join(directory, fileOf(key))
    yield* until(() => existsSync(file))
    return file
  })

/** Sends bytes to the cache. Gives all that the cache answers until one side ends the connection: the guest's at the first answer. */
export const speak = (
  { port }: { readonly port: number },
  bytes: string,
  { endsAtAnswer = true }: { readonly endsAtAnswer?: boolean } = {}
) =>
  Effect.callback<string>((resume) => {
    const chunks: Array<Buffer> = []
    const socket = net.connect({ port, host: "127.0.0.1" }, () => socket.write(bytes, "latin1"))
    socket.on("data", (chunk) => {
      chunks.push(chunk)
      // An answer may leave the connection open.
      if (endsAtAnswer) socket.end()
    })
    socket.on("error", () => {}).once("close", () => resume(Effect.succeed(Buffer.concat(chunks).toString("latin1"))))
  })

/** Entries that a directory of kept answers has. */
export const entriesIn = (directory: string) =>
  readdirSync(directory).filter((name) => name.length === 2).flatMap((name) => readdirSync(join(directory, name)))
    .length

/** A registry that answers each request with this body. */
export const sending =
  (body: Buffer | string, headers: Readonly<Record<string, string>> = {}) =>
  (_: unknown, response: http.ServerResponse) => void response.writeHead(200, headers).end(body)
