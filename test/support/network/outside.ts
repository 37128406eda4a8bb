import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import { serveDatagrams } from "./datagrams.ts"

// The servers around the host of a test, in a network namespace of their own. A line on stdout says that they listen.

const MIB = 1_048_576

/** Says which host was asked for; `/bytes/N` sends N MiB. */
const web = http.createServer((request, response) => {
  const [, mib] = /^\/bytes\/(\d+)$/.exec(request.url ?? "") ?? []
  if (mib === undefined) return response.end(`hello ${request.headers.host}\n`)
  response.setHeader("Content-Length", Number(mib) * MIB)
  let left = Number(mib)
  const send = () => {
    while (left > 0) {
      left--
      if (!response.write(Buffer.alloc(MIB))) return response.once("drain", send)
    }
    return response.end()
  }
  return send()
})

interface Options {
  readonly identity?: https.ServerOptions
  /** Unix sockets of the mirrors, and the address that leads there. */
  readonly mirrors?: { readonly address: string; readonly http: string; readonly https: string }
}
const { identity, mirrors } = JSON.parse(process.argv[2]!) as Options

/** Passes connections to the mirrors' address to a mirror, and the others to the server. */
const shared = (server: net.Server | undefined, mirror: string | undefined) =>
  net.createServer({ allowHalfOpen: true }, (socket) => {
    if (mirror === undefined || socket.localAddress !== mirrors?.address) return server?.emit("connection", socket)
    const far = net.connect({ path: mirror, allowHalfOpen: true })
    far.on("error", () => socket.destroy())
    socket.on("error", () => far.destroy())
    return socket.pipe(far).pipe(socket)
  })

/** Sends the headers of a request back. */
const secure = identity && https.createServer(identity, (request, response) => {
  response.end(JSON.stringify(request.headers).replace("real-token", "REAL"))
})
if (secure !== undefined || mirrors !== undefined) shared(secure, mirrors?.https).listen(443, "0.0.0.0")

/** Sends back what comes. */
const echo = net.createServer((socket) => {
  socket.on("error", () => {})
  socket.pipe(socket)
})

/** Counts what comes, and says the count at the end. */
const sink = net.createServer({ allowHalfOpen: true }, (socket) => {
  let bytes = 0
  socket.on("error", () => {}).on("data", (chunk) => bytes += chunk.length).on("end", () => socket.end(`${bytes}\n`))
})

serveDatagrams("udp4", "203.0.113.10")
serveDatagrams("udp6", "2001:db8:1::10")
shared(web, mirrors?.http).listen(
  80,
  "0.0.0.0",
  () =>
    echo.listen(
      { port: 7, host: "::", backlog: 1024 },
      () => sink.listen(9, "0.0.0.0", () => process.stdout.write("listening\n"))
    )
)
