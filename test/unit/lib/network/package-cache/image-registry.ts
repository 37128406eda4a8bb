import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import * as http from "node:http"
import * as net from "node:net"
import { join } from "node:path"
import type { DialMessage } from "../../../../../src/lib/network/both/dial/protocol.ts"
import type { Interception } from "../../../../../src/lib/network/both/intercept/interception.ts"
import { makeAuthority } from "../../../../../src/lib/network/dialer/intercept/certificates.ts"
import { Heads } from "../../../../../src/lib/network/dialer/intercept/request.ts"
import { serveImages } from "../../../../../src/lib/network/dialer/package-cache/images.ts"
import type { CacheAccess, Served } from "../../../../../src/lib/network/model/cache-access.ts"
import { HOST, listen, listenHttps, makeIdentity } from "../intercept/intercepted.ts"
import { temporary } from "./package-cache.ts"

interface Options {
  readonly handler: http.RequestListener
  readonly tls: boolean
  /** The host trusts the registry's certificate. */
  readonly isTrusted: boolean
}

/** A guest's connections to a registry, with or without TLS. */
export const makeImageRegistry = ({ handler, isTrusted, tls }: Options) =>
  Effect.gen(function*() {
    const folder = yield* temporary
    const identity = yield* makeIdentity
    const asked: Array<string> = []
    const counting: http.RequestListener = (request, response) => {
      asked.push(`${request.method} ${request.url}`)
      handler(request, response)
    }
    const port = yield* (tls ? listenHttps(identity, counting) : listen(http.createServer(counting)))
    const proxy = yield* listen(
      http.createServer().on("connect", (_, socket: net.Socket) => {
        const onward = net.connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"))
        onward.on("error", () => socket.destroy()).pipe(socket)
        socket.on("error", () => onward.destroy()).pipe(onward)
      })
    )
    const authority = yield* Effect.promise(() => makeAuthority({ hosts: [HOST], nowMs: Date.now() }))
    const trustFile = join(folder, "trust.pem")
    writeFileSync(trustFile, isTrusted ? identity.authority.certificate : authority.certificate)
    const trust = { file: trustFile, extraFile: undefined }
    const url = `http://127.0.0.1:${proxy}`
    const dial: DialMessage = {
      _tag: "Dial",
      id: 1,
      name: HOST,
      address: undefined,
      port: 5000,
      allowIps: [],
      group: folder,
      proxies: { http: url, https: url, all: url, no: undefined },
      interception: { authority, secrets: [], foreign: [], trust, nowMs: Date.now() }
    }
    const directory = join(folder, "downloads")
    const access: CacheAccess = {
      kind: "images",
      names: [`${HOST}:5000`],
      directory,
      maxBytes: 64 * 1024 * 1024,
      reserveBytes: 0,
      trust
    }
    const served: Array<Served> = []
    const heads = new Heads()
    /** The port of a guest whose requests get these secrets. */
    const frontFor = (secrets: Interception["secrets"], group = folder) => {
      const interception = { ...dial.interception!, secrets }
      const message = { ...dial, group, interception }
      return listen(
        net.createServer(
          { allowHalfOpen: true },
          (socket) => void serveImages(socket, message, { access, heads }, (got) => served.push(got))
        )
      )
    }
    return { asked, authority, directory, front: yield* frontFor([]), frontFor, identity, served }
  })
export type ImageRegistry = Effect.Success<ReturnType<typeof makeImageRegistry>>
