import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import * as tls from "node:tls"
import { makeTestAuthority } from "../support/network/certificates.ts"
import { MODEL_HOSTS, modelOf } from "./models.ts"

const listening = async (server: net.Server) => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return (server.address() as net.AddressInfo).port
}

/** Answers a request to a model API. */
const answer = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
  const pieces: Array<Buffer> = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const model = modelOf(request.headers.host ?? "", request.url ?? "")
  if (request.method !== "POST" || model === undefined) return void response.writeHead(404).end("{}")
  const answered = model(JSON.parse(Buffer.concat(pieces).toString("utf8")))
  if ("json" in answered) {
    return void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answered.json))
  }
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.end(
    answered.events.map(({ data, event }) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join("")
  )
}

/**
 * A proxy for HTTPS behind which the hosts of models answer by a script, and all others are the real ones. Programs, and pyro for its guests,
 * reach it by `HTTPS_PROXY`; they trust its hosts by `NODE_EXTRA_CA_CERTS`.
 */
export const startInternet = async () => {
  const authority = await makeTestAuthority()
  const identities = new Map<string, tls.SecureContext>()
  for (const host of MODEL_HOSTS) identities.set(host, tls.createSecureContext(await authority.identityOf(host)))
  /** Requests to models: host, path and key. Claude Code also asks its host for other things, and some without a key. */
  const asked: Array<{ readonly host: string; readonly path: string; readonly keys: ReadonlyArray<string> }> = []
  const models = https.createServer({
    SNICallback: (host, done) => {
      const identity = identities.get(host)
      if (identity === undefined) done(new Error(`no certificate for ${host}`))
      else done(null, identity)
    }
  }, (request, response) => {
    const { authorization, host = "" } = request.headers
    const keys = [request.headers["x-api-key"], authorization].flat().filter((key) => key !== undefined)
    if (modelOf(host, request.url ?? "") !== undefined) asked.push({ host, path: request.url ?? "", keys })
    answer(request, response).catch((failure: unknown) => response.writeHead(500).end(String(failure)))
  })
  const modelsPort = await listening(models)
  const proxy = http.createServer((_, response) => void response.writeHead(405).end())
  const tunnels = new Set<net.Socket>()
  proxy.on("connect", (request: http.IncomingMessage, client: net.Socket, head: Buffer) => {
    const [host = "", port = "443"] = (request.url ?? "").split(":")
    const server = identities.has(host) ? net.connect(modelsPort, "127.0.0.1") : net.connect(Number(port), host)
    tunnels.add(client).add(server)
    server.once("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n")
      server.write(head)
      server.pipe(client).pipe(server)
    })
    for (const [one, other] of [[client, server], [server, client]] as const) {
      one.on("error", () => other.destroy())
      one.on("close", () => {
        tunnels.delete(one)
        other.destroy()
      })
    }
  })
  const port = await listening(proxy)
  return {
    asked,
    certificate: authority.certificate,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const one of tunnels) one.destroy()
      await Promise.all([proxy, models].map((server) => new Promise((resolve) => server.close(resolve))))
    }
  } as const
}
