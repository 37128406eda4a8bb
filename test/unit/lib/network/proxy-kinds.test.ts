import * as http from "node:http"
import * as net from "node:net"
import { afterEach, assert, describe, it } from "vitest"
import type { DialMessage } from "../../../../src/lib/network/both/dial/protocol.ts"
import { dial } from "../../../../src/lib/network/dialer/dial/dial.ts"
import { readHere } from "../../../../src/lib/network/dialer/dial/tunnel.ts"
import type { Proxies } from "../../../../src/system/settings/proxies.ts"

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const listen = async (server: net.Server) => {
  server.on("connection", (socket: net.Socket) => void socket.on("error", () => {}))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  cleanups.push(() => void server.close())
  return (server.address() as net.AddressInfo).port
}

/** Addresses for documentation: no test connects to them, the proxies answer themselves. */
const PUBLIC = "203.0.113.10"

const none: Proxies = { http: undefined, https: undefined, all: undefined, no: undefined }

const dialled = async (to: Partial<DialMessage>, proxies: Partial<Proxies>) => {
  const message: DialMessage = {
    _tag: "Dial",
    id: 1,
    name: undefined,
    address: PUBLIC,
    port: 80,
    allowIps: [],
    group: "test",
    proxies: { ...none, ...proxies },
    ...to
  }
  const connected = await dial(message, AbortSignal.timeout(20_000))
  const { head, socket } = connected
  cleanups.push(() => void socket.destroy())
  if (head !== "") socket.unshift(Buffer.from(head, "base64"))
  readHere(socket)
  socket.on("error", () => {}).resume()
  return connected
}

/** Sends a text, and gives what comes back until the end. */
const exchange = (socket: net.Socket, text: string) =>
  new Promise<string>((resolve) => {
    let received = ""
    socket.on("data", (bytes) => void (received += bytes.toString("latin1"))).on("close", () => resolve(received))
    socket.on("end", () => socket.end())
    socket.write(text)
  })

const failure = (work: Promise<unknown>) =>
  work.then(
    () => assert.fail("it connected"),
    (error: Error & { readonly failure: string }) => [error.failure, error.message]
  )

/** A proxy by the rules of Squid's default: tunnels to port 443 alone, and plain requests by their whole URL. */
const squid = async () => {
  const seen: Array<string> = []
  const server = http.createServer((request, response) => {
    seen.push(
      `${request.method} ${request.url} ${request.headers.host} ${request.headers["proxy-authorization"] ?? ""}`
    )
    let body = ""
    request.on("data", (part) => void (body += part)).on("end", () => response.end(`plain page ${body}`))
  })
  server.on("connect", (request, socket: net.Socket) => {
    seen.push(`CONNECT ${request.url}`)
    if (request.url!.endsWith(":443")) return void socket.end("HTTP/1.1 200 OK\r\n\r\ntunnel\n")
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
  })
  return { port: await listen(server), seen }
}

describe("a proxy that makes tunnels to port 443 alone", () => {
  it("plain requests of port 80 go to the proxy with the whole URL, several on one connection", async () => {
    const { port, seen } = await squid()
    const { address, socket, viaProxy } = await dialled({}, { http: `http://me:pass@127.0.0.1:${port}` })
    assert.deepStrictEqual([address, viaProxy], [`127.0.0.1:${port}`, true])
    const text = await exchange(
      socket,
      `GET /a?b HTTP/1.1\r\nHost: ${PUBLIC}\r\nProxy-Authorization: Basic guest\r\n\r\n` +
        `POST /c HTTP/1.1\r\nHost: ${PUBLIC}\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody`
    )
    const login = `Basic ${Buffer.from("me:pass").toString("base64")}`
    assert.deepStrictEqual(seen, [
      `CONNECT ${PUBLIC}:80`,
      `GET http://${PUBLIC}/a?b ${PUBLIC} ${login}`,
      `POST http://${PUBLIC}/c ${PUBLIC} ${login}`
    ])
    assert.match(text, /200 OK[^]*plain page [^]*200 OK[^]*plain page body/)
  })

  it("a request for another host does not reach the proxy", async () => {
    const { port, seen } = await squid()
    const ask = async (text: string) => {
      const { socket } = await dialled({}, { http: `http://127.0.0.1:${port}` })
      return await exchange(socket, text)
    }
    assert.match(await ask("GET / HTTP/1.1\r\nHost: internal.example\r\n\r\n"), /^HTTP\/1\.1 421 /)
    assert.match(
      await ask(`GET http://internal.example/ HTTP/1.1\r\nHost: ${PUBLIC}\r\n\r\n`),
      /^HTTP\/1\.1 400 /
    )
    assert.match(await ask("SSH-2.0-OpenSSH\r\n\r\n"), /^HTTP\/1\.1 400 /)
    assert.deepStrictEqual([...new Set(seen)], [`CONNECT ${PUBLIC}:80`])
  })

  it("other ports get a tunnel or the proxy's refusal", async () => {
    const { port } = await squid()
    const proxies = { https: `http://127.0.0.1:${port}` }
    const { socket } = await dialled({ port: 443 }, proxies)
    assert.strictEqual(await exchange(socket, ""), "tunnel\n")
    assert.deepStrictEqual(await failure(dialled({ port: 22 }, proxies)), [
      "refused",
      `the proxy 127.0.0.1:${port} answered 403 Forbidden for ${PUBLIC}:22`
    ])
  })
})

/** A SOCKS5 server that greets in one write with its reply, and echoes. */
const socks = async ({ login, reply = 0 }: { readonly login?: string; readonly reply?: number } = {}) => {
  const seen: Array<string> = []
  const server = net.createServer((client) => {
    let step = "methods"
    client.on("error", () => {}).on("data", (bytes) => {
      if (step === "methods") {
        step = login === undefined ? "request" : "login"
        const offers = bytes.subarray(2, 2 + bytes[1]!)
        const method = login === undefined ? 0 : offers.includes(2) ? 2 : 255
        return client.write(Buffer.from([5, method]))
      }
      if (step === "login") {
        step = "request"
        const user = bytes.toString("latin1", 2, 2 + bytes[1]!)
        const password = bytes.toString("latin1", 3 + bytes[1]!)
        return client.write(Buffer.from([1, `${user}:${password}` === login ? 0 : 1]))
      }
      if (step === "open") return client.write(bytes)
      step = "open"
      const host = bytes[3] === 1
        ? [...bytes.subarray(4, 8)].join(".")
        : bytes[3] === 3
        ? bytes.toString("latin1", 5, 5 + bytes[4]!)
        : bytes.toString("hex", 4, 20)
      seen.push(`${host}:${bytes.readUInt16BE(bytes.length - 2)}`)
      // In pieces, and the last one with bytes of the server behind.
      client.write(Buffer.from([5, reply, 0]))
      client.write(Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0]), Buffer.from("hello\n")]))
      if (reply !== 0) client.end()
    })
  })
  return { port: await listen(server), seen }
}

/** Waits for a text of a connection. */
const untilText = (socket: net.Socket, text: string) =>
  new Promise<string>((resolve) => {
    let received = ""
    socket.on("data", (bytes) => {
      received += bytes.toString()
      if (received.includes(text)) resolve(received)
    })
  })

describe("a SOCKS5 proxy", () => {
  it("gets the address and the port, and every byte after its reply arrives", async () => {
    const { port, seen } = await socks()
    for (const address of [PUBLIC, "2001:4860::8:1"]) {
      const { socket, viaProxy } = await dialled({ address, port: 5432 }, { all: `socks5://127.0.0.1:${port}` })
      assert.isTrue(viaProxy)
      const text = untilText(socket, "ping")
      socket.write("ping")
      assert.strictEqual(await text, "hello\nping")
    }
    assert.deepStrictEqual(seen, [`${PUBLIC}:5432`, "20014860000000000000000000080001:5432"])
  })

  it("gets the name where its scheme is socks5h, also for port 80", async () => {
    const { port, seen } = await socks()
    await dialled({ name: "only-the-proxy.example", address: undefined }, { http: `socks5h://127.0.0.1:${port}` })
    assert.deepStrictEqual(seen, ["only-the-proxy.example:80"])
  })

  it("does not get names of private networks, nor those that this host must resolve and cannot", async () => {
    const { port, seen } = await socks()
    const ask = (name: string, scheme: string) =>
      failure(dialled({ name, address: undefined, port: 443 }, { all: `${scheme}://127.0.0.1:${port}` }))
    assert.strictEqual((await ask("wiki.corp", "socks5h"))[0], "denied")
    assert.strictEqual((await ask("localhost", "socks5h"))[0], "denied")
    assert.strictEqual((await ask("only-the-proxy.example", "socks5"))[0], "unresolved")
    assert.strictEqual(
      (await failure(dialled({ address: "192.168.0.1" }, { all: `socks5://127.0.0.1:${port}` })))[0],
      "denied"
    )
    assert.deepStrictEqual(seen, [])
  })

  it("gets user and password, and a wrong or missing login says so without them", async () => {
    const { port, seen } = await socks({ login: "me:a:b" })
    await dialled({}, { all: `socks5://me:a%3Ab@127.0.0.1:${port}` })
    assert.lengthOf(seen, 1)
    assert.deepStrictEqual(await failure(dialled({}, { all: `socks5://me:wrong@127.0.0.1:${port}` })), [
      "failed",
      `the SOCKS proxy 127.0.0.1:${port} refuses the user or the password`
    ])
    assert.deepStrictEqual(await failure(dialled({}, { all: `socks5://127.0.0.1:${port}` })), [
      "failed",
      `the SOCKS proxy 127.0.0.1:${port} wants a login: socks5://USER:PASSWORD@HOST:PORT`
    ])
  })

  it("a refusal and another protocol are told apart, and NO_PROXY holds", async () => {
    const { port, seen } = await socks({ reply: 2 })
    assert.deepStrictEqual(await failure(dialled({ port: 443 }, { all: `socks5://127.0.0.1:${port}` })), [
      "refused",
      `the SOCKS proxy 127.0.0.1:${port} answered "not allowed by its rules" for ${PUBLIC}:443`
    ])
    const web = await listen(net.createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")))
    assert.deepStrictEqual(await failure(dialled({}, { all: `socks5://127.0.0.1:${web}` })), [
      "failed",
      `the SOCKS proxy 127.0.0.1:${web} does not speak SOCKS 5`
    ])
    const direct = await listen(net.createServer((socket) => void socket.end("direct")))
    const before = seen.length
    const { viaProxy } = await dialled(
      { name: "host.pyro.internal", address: undefined, port: direct },
      { all: `socks5://127.0.0.1:${port}`, no: "*" }
    )
    assert.deepStrictEqual([viaProxy, seen.length], [false, before])
  })
})
