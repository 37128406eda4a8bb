import * as net from "node:net"
import { type Answer, data, serveDns } from "./dns-server.ts"

// The network around the host, in a namespace of its own: servers with public addresses, the LAN, a metadata service, a resolver, a proxy.
// Prints one JSON line for each question, connection and proxy request.

const tell = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)

const [, , resolver = ""] = process.argv
const questions = new Map<string, number>()

/** How often a name was asked for, with this question. */
const asked = (name: string, type: number) => {
  const key = `${name} ${type}`
  const count = (questions.get(key) ?? 0) + 1
  questions.set(key, count)
  return count
}

const zone: Readonly<Record<string, (count: number, type: number) => Answer>> = {
  "server.test.net": () => ({ addresses: ["203.0.113.10"] }),
  "both.test.net": () => ({ addresses: ["203.0.113.10", "2001:db8:1::10"] }),
  "v6.test.net": () => ({ addresses: ["2001:db8:1::10"] }),
  "lan.test.net": () => ({ addresses: ["192.168.7.1"] }),
  "loopback.test.net": () => ({ addresses: ["127.0.0.1"] }),
  "metadata.test.net": () => ({ addresses: ["169.254.169.254"] }),
  "mapped.test.net": () => ({ addresses: ["::ffff:192.168.7.1", "64:ff9b::c0a8:701"] }),
  "myself.test.net": () => ({ addresses: ["198.51.100.2"] }),
  "anycast.test.net": () => ({ addresses: ["203.0.113.99"] }),
  "mixed.test.net": () => ({ addresses: ["192.168.7.1", "203.0.113.10"] }),
  // The second answer, which a second look-up for the connection would get, is private.
  "changing.test.net": (count) => ({ addresses: [count === 1 ? "203.0.113.10" : "192.168.7.1"] }),
  "ten.test.net": () => ({
    addresses: [...Array.from({ length: 9 }, (_, at) => `203.0.113.${20 + at}`), "203.0.113.10"],
    onlyOverTcp: true
  }),
  "dead.test.net": () => ({ addresses: ["203.0.113.66"] }),
  "dead-first.test.net": () => ({ addresses: ["203.0.113.20", "203.0.113.10"] }),
  "silent.test.net": () => "silence",
  "_http._tcp.server.test.net": () => ({ records: [data.srv(1, 2, 80, "server.test.net")] }),
  "mail.test.net": (_, type) => type === 15 ? { records: [data.mx(10, "server.test.net")] } : { addresses: [] },
  "text.test.net": (_, type) =>
    type === 16 ? { records: [data.txt("v=spf1 ", "-all"), data.txt("x".repeat(255))] } : { addresses: [] }
}

const answerTo = (name: string, type: number): Answer =>
  name.endsWith(".silent.test.net") ? "silence" : zone[name]?.(asked(name, type), type) ?? "no such name"

serveDns(resolver, answerTo, (question) => tell({ _tag: "Question", ...question }))

/** Greets first, then echoes. */
net.createServer({ allowHalfOpen: true }, (socket) => {
  tell({ _tag: "Connection", address: socket.localAddress, port: socket.localPort })
  socket.on("error", () => {}).on("close", () => tell({ _tag: "Closed" }))
  socket.write(`${socket.localAddress}\n`)
  socket.pipe(socket)
}).listen(80, "::")

/** Answers CONNECT to `server.test.net:80` and `203.0.113.10:80`, for user `me` with password `a:b`. */
net.createServer({ allowHalfOpen: true }, (client) => {
  let head = ""
  const onData = (bytes: Buffer) => {
    head += bytes.toString("latin1")
    if (!head.includes("\r\n\r\n")) return
    client.off("data", onData)
    const [, target = "", host = ""] = /^CONNECT (\S+) HTTP\/1\.1\r\nHost: (\S+)\r\n/.exec(head) ?? []
    const [, credentials = ""] = /^Proxy-Authorization: Basic (\S+)\r$/m.exec(head) ?? []
    tell({ _tag: "Proxy", target, host, credentials: Buffer.from(credentials, "base64").toString() })
    if (target.startsWith("forbidden")) {
      return client.end("HTTP/1.1 403 Forbidden by\u0007 policy\r\nContent-Length: 0\r\n\r\n")
    }
    if (target.startsWith("endless")) return client.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`)
    if (target.startsWith("garbage")) return client.end("SSH-2.0-OpenSSH\r\n\r\n\r\n")
    if (target.startsWith("mute")) return
    // The server's first bytes go out in one write with the answer.
    client.write(`HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\nvia proxy ${target}\n`)
    client.pipe(client)
  }
  client.on("error", () => {}).on("data", onData)
}).listen(3128, "::", () => tell({ _tag: "Ready" }))
