import * as fs from "node:fs"
import * as http from "node:http"
import type * as net from "node:net"
import * as path from "node:path"
import * as tls from "node:tls"
import { temporaryFolder } from "../../pyro-cli.ts"
import { makeTestAuthority } from "../certificates.ts"
import type { Mirror } from "./mirror.ts"

export interface Served {
  readonly hosts: ReadonlyArray<string>
  /** Certificate of the authority that signed the mirrors' certificates, as PEM. */
  readonly certificate: string
  /** File with the certificate and the host's own authorities: the daemon's `SSL_CERT_FILE`. */
  readonly trustFile: string
  /** Sockets of Unix that the mirrors listen at, without and with TLS. */
  readonly sockets: { readonly http: string; readonly https: string }
  /** `METHOD HOST PATH` of each request since the start. */
  readonly requests: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

const listen = (server: net.Server, socket: string) =>
  new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(socket, resolve)
  })

/**
 * Serves mirrors on Unix sockets, which processes in other network namespaces reach: `networkHost` gives the mirrors their names. The mirrors run
 * in this process, so that a mirror may use the network of the real host.
 */
export const serveMirrors = async (mirrors: ReadonlyArray<Mirror>): Promise<Served> => {
  const hosts = mirrors.flatMap((mirror) => mirror.hosts)
  const { folder, remove } = temporaryFolder("pyro-mirrors-")
  const authority = await makeTestAuthority()
  const contexts = new Map<string, tls.SecureContext>()
  for (const host of hosts) {
    contexts.set(host, tls.createSecureContext(await authority.identityOf(host)))
  }

  const requests: Array<string> = []
  const web = http.createServer((request, response) => {
    const host = request.headers.host ?? ""
    requests.push(`${request.method} ${host} ${request.url}`)
    const mirror = mirrors.find((one) => one.hosts.includes(host))
    if (mirror === undefined) return void response.writeHead(421).end()
    mirror.answer(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  const secure = tls.createServer({
    ALPNProtocols: ["http/1.1"],
    SNICallback: (name, give) => {
      const context = contexts.get(name)
      give(context === undefined ? new Error(`no mirror has the name ${name}`) : null, context)
    }
  }, (socket) => {
    socket.on("error", () => {})
    web.emit("connection", socket)
  })
  const open = new Set<net.Socket>()
  for (const server of [web, secure]) {
    server.on("connection", (socket: net.Socket) => {
      open.add(socket)
      socket.on("error", () => {}).once("close", () => open.delete(socket))
    })
  }
  secure.on("tlsClientError", () => {})

  const sockets = { http: path.join(folder, "http.sock"), https: path.join(folder, "https.sock") }
  await listen(web, sockets.http)
  await listen(secure, sockets.https)
  const trustFile = path.join(folder, "trust.pem")
  fs.writeFileSync(trustFile, [authority.certificate, ...tls.rootCertificates].join("\n"))
  return {
    hosts,
    certificate: authority.certificate,
    trustFile,
    sockets,
    requests,
    close: async () => {
      const closed = [web, secure].map((server) => new Promise((resolve) => server.close(resolve)))
      for (const socket of open) socket.destroy()
      await Promise.all(closed)
      remove()
    }
  }
}
