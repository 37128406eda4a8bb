import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"

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

const [, , identity = ""] = process.argv
/** Sends the headers of a request back. */
if (identity !== "") {
  https.createServer(JSON.parse(identity) as https.ServerOptions, (request, response) => {
    response.end(JSON.stringify(request.headers).replace("real-token", "REAL"))
  }).listen(443, "0.0.0.0")
}

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

web.listen(
  80,
  "0.0.0.0",
  () =>
    echo.listen(
      { port: 7, host: "0.0.0.0", backlog: 1024 },
      () => sink.listen(9, "0.0.0.0", () => process.stdout.write("listening\n"))
    )
)
