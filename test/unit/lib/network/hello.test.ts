import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as net from "node:net"
import * as tls from "node:tls"
import type { Hello } from "../../../../src/lib/network/both/first-bytes/hello.ts"
import { fronting, inspect, MAX_HELLO_BYTES } from "../../../../src/lib/network/both/first-bytes/inspect.ts"

const bytes = (text: string) => Buffer.from(text, "latin1")
const u16 = (value: number) => Buffer.from([value >> 8, value & 255])
const vector = (lengthBytes: 1 | 2 | 3, content: Buffer) => {
  const length = Buffer.alloc(lengthBytes)
  length.writeUIntBE(content.length, 0, lengthBytes)
  return Buffer.concat([length, content])
}

const serverName = (name: string) =>
  Buffer.concat([u16(0), vector(2, vector(2, Buffer.concat([Buffer.from([0]), vector(2, bytes(name))])))])
const extension = (type: number, content = Buffer.alloc(0)) => Buffer.concat([u16(type), vector(2, content)])

const handshake = (extensions: ReadonlyArray<Buffer> | undefined) => {
  const hello = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32)),
    vector(2, Buffer.from([0x13, 0x01])),
    vector(1, Buffer.from([0])),
    ...(extensions === undefined ? [] : [vector(2, Buffer.concat(extensions))])
  ])
  return Buffer.concat([Buffer.from([1]), vector(3, hello)])
}
const record = (content: Buffer, type = 22) => Buffer.concat([Buffer.from([type, 3, 1]), vector(2, content)])
const withByte = (bytes: Buffer, at: number, byte: number) =>
  Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at + 1)])
const clientHello = (...extensions: ReadonlyArray<Buffer>) => record(handshake(extensions))

/** ClientHello of Node's own TLS. */
const realHello = (options: tls.ConnectionOptions) =>
  new Promise<Buffer>((resolve, reject) => {
    const server = net.createServer((socket) => {
      let held = Buffer.alloc(0)
      socket.on("error", () => {}).on("data", (chunk: Buffer) => {
        held = Buffer.concat([held, chunk])
        if (held.length < 5 + held.readUInt16BE(3)) return
        socket.destroy()
        server.close()
        resolve(held)
      })
    }).listen(0, "127.0.0.1", () => {
      tls.connect({ host: "127.0.0.1", port: (server.address() as net.AddressInfo).port, ...options }).on(
        "error",
        () => {}
      )
    }).on("error", reject)
  })

const sni = (name: string | undefined): Hello => ({ _tag: "Tls", name })
const http = (...hosts: ReadonlyArray<string>): Hello => ({ _tag: "Http", hosts })
const other: Hello = { _tag: "Other" }
const needMore: Hello = { _tag: "NeedMore" }

describe("the first bytes of TLS", () => {
  it("the server name and the protocols of a real client are read", async () => {
    assert.deepStrictEqual(inspect(await realHello({ servername: "Example.com" })), sni("Example.com"))
    assert.deepStrictEqual(
      inspect(await realHello({ servername: "a.example", ALPNProtocols: ["h2", "http/1.1"] })),
      { _tag: "Tls", name: "a.example", protocols: ["h2", "http/1.1"] }
    )
    assert.deepStrictEqual(inspect(await realHello({ servername: "" })), sni(undefined))
  })

  it("a ClientHello that comes in several records is read", () => {
    const whole = handshake([extension(10, Buffer.alloc(40)), serverName("example.com")])
    for (const at of [1, 3, 4, 50, whole.length - 1]) {
      const cut = Buffer.concat([record(whole.subarray(0, at)), record(whole.subarray(at))])
      assert.deepStrictEqual(inspect(cut), sni("example.com"))
    }
  })

  it("every prefix of a ClientHello needs more", () => {
    const whole = clientHello(extension(43), serverName("example.com"))
    for (let size = 0; size < whole.length; size++) assert.deepStrictEqual(inspect(whole.subarray(0, size)), needMore)
    assert.deepStrictEqual(inspect(Buffer.concat([whole, bytes("more")])), sni("example.com"))
  })

  it("encrypted ClientHello: the outer name is read", () => {
    assert.deepStrictEqual(
      inspect(clientHello(serverName("outer.example"), extension(0xfe0d, Buffer.alloc(100)))),
      sni("outer.example")
    )
  })

  it("a ClientHello without extensions names no server", () => {
    assert.deepStrictEqual(inspect(record(handshake(undefined))), sni(undefined))
    assert.deepStrictEqual(inspect(clientHello()), sni(undefined))
  })

  const nameList = (content: Buffer) => extension(0, vector(2, content))
  const malformed: ReadonlyArray<readonly [what: string, hello: Buffer]> = [
    ["two server names", clientHello(serverName("a.example"), serverName("b.example"))],
    [
      "two names in one list",
      clientHello(
        nameList(
          Buffer.concat([
            Buffer.from([0]),
            vector(2, bytes("a.example")),
            Buffer.from([0]),
            vector(2, bytes("b.example"))
          ])
        )
      )
    ],
    ["a name of another type", clientHello(nameList(Buffer.concat([Buffer.from([1]), vector(2, bytes("a.example"))])))],
    ["an empty list of names", clientHello(nameList(Buffer.alloc(0)))],
    ["an empty server_name extension", clientHello(extension(0))],
    [
      "bytes after the list of names",
      clientHello(
        extension(
          0,
          Buffer.concat([vector(2, Buffer.concat([Buffer.from([0]), vector(2, bytes("a.example"))])), bytes("x")])
        )
      )
    ],
    ["an extension beyond the end", record(Buffer.concat([handshake([Buffer.concat([u16(0), u16(500)])])]))],
    ["another handshake message", record(Buffer.concat([Buffer.from([2]), vector(3, Buffer.alloc(40))]))],
    ["a ClientHello that is too short", record(Buffer.concat([Buffer.from([1]), vector(3, Buffer.alloc(10))]))],
    ["an empty record", record(Buffer.alloc(0))],
    ["a record that is too long", Buffer.concat([Buffer.from([22, 3, 1]), u16(16_385), Buffer.alloc(10)])],
    [
      "a second ClientHello in its record",
      record(Buffer.concat([handshake([serverName("a.example")]), handshake([serverName("b.example")])]))
    ],
    [
      "an alert before the ClientHello",
      Buffer.concat([record(Buffer.from([1, 90]), 21), clientHello(serverName("a.example"))])
    ],
    [
      "a change of ciphers before it",
      Buffer.concat([record(Buffer.from([1]), 20), clientHello(serverName("a.example"))])
    ],
    ["a record of version 2.1", withByte(clientHello(serverName("a.example")), 1, 2)],
    ["an alert of version 2.1", withByte(record(Buffer.from([1, 90]), 21), 1, 2)],
    ["a ClientHello of SSL 2.0", Buffer.from([0x80, 46, 1, 3, 3, 0, 3, 0, 0, 0, 32])],
    ["an alert between the records", Buffer.concat([record(handshake([]).subarray(0, 8)), record(Buffer.alloc(2), 21)])]
  ]
  for (const [what, hello] of malformed) {
    it(`${what} is malformed`, () => {
      assert.strictEqual(inspect(hello)._tag, "Malformed")
    })
  }

  it("a ClientHello that does not end within 16 KiB is malformed", () => {
    const long = handshake([extension(21, Buffer.alloc(20_000)), serverName("example.com")])
    const records = Buffer.concat([record(long.subarray(0, 16_000)), record(long.subarray(16_000))])
    assert.deepStrictEqual(inspect(records.subarray(0, MAX_HELLO_BYTES - 1)), needMore)
    assert.strictEqual(inspect(records)._tag, "Malformed")
  })
})

describe("the first bytes of HTTP", () => {
  const cases: ReadonlyArray<readonly [request: string, hello: Hello]> = [
    ["GET / HTTP/1.1\r\nHost: Example.com\r\n\r\n", http("example.com")],
    ["GET / HTTP/1.1\r\nAccept: */*\r\nhOsT:example.com:8080\r\n\r\n", http("example.com")],
    ["POST /x HTTP/1.0\nHost: example.com\n\nbody", http("example.com")],
    ["GET / HTTP/1.0\r\n\r\n", http()],
    ["\r\n\r\nGET / HTTP/1.1\r\nHost: example.com\r\n\r\n", http("example.com")],
    ["M-SEARCH * HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n", http("2001:db8::1")],
    ["GET http://evil.example/ HTTP/1.1\r\nHost: example.com\r\n\r\n", http("evil.example", "example.com")],
    [
      "GET http://example.com@evil.example:80/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
      http("evil.example", "example.com")
    ],
    ["CONNECT evil.example:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", http("evil.example", "example.com")],
    ["GET / HTTP/1.1\r\nX-Host: a\r\nHost:\r\n\r\n", http()],
    ["SSH-2.0-OpenSSH_9.2\r\n", other],
    ["003egit-upload-pack /project.git\0host=example.com\0", other],
    ["EHLO example.com\r\n", other],
    ["PING\r\n", other],
    ["a1 LOGIN user password\r\n", other],
    ["CONNECT {\"verbose\":false}\r\n", other],
    ["*1\r\n$4\r\nPING\r\n", other],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", other],
    ["\0\0\0\x08\x04\xd2\x16\x2f", other],
    ["\x17\x03\x03", other],
    ["\x16\x10", other],
    ["\x16\x01\0\0\x09\0", other],
    ["\x15\x01\0\0\x09\0", other],
    ["\x80\x01\0\x04", other],
    ["0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0", other],
    [`${"\r\n".repeat(500)}GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n`, http("evil.example")],
    [`${"A".repeat(500)} / HTTP/1.1\r\nHost: evil.example\r\n\r\n`, http("evil.example")],
    ["GET http://evil.example\\@example.com/ HTTP/1.0\r\n\r\n", http("example.com", "evil.example")],
    ["\x16", needMore],
    ["\x16\x01\0\0\x09", needMore],
    ["\x80\x01\x01", needMore],
    ["\r\n".repeat(100), needMore],
    ["GET /\x01", needMore],
    [`${"A".repeat(500)}`, needMore],
    ["GET", needMore],
    ["GET / HTTP/1.1\r\n", needMore],
    ["GET / HTTP/1.1\r\nHost: example.com\r\n", needMore],
    ["\r\n", needMore]
  ]
  for (const [request, hello] of cases) {
    it(`${JSON.stringify(request)} is ${hello._tag}`, () => {
      assert.deepStrictEqual(inspect(bytes(request)), hello)
    })
  }

  const malformed = [
    "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a.example\r\n Host: b.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a.example/b\r\n\r\n",
    "GET / HTTP/1.1\r\nX: \rHost: b.example\r\n\r\n",
    "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    "GET / HTTP/3.0\r\nHost: a.example\r\n\r\n",
    "GET / HTTP/1.1x\r\nHost: a.example\r\n\r\n",
    "GET / HTTP/1\r\nHost: a.example\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET  /  http/1.1\r\nHost: evil.example\r\n\r\n"
  ]
  for (const request of malformed) {
    it(`${JSON.stringify(request)} is malformed`, () => {
      assert.strictEqual(inspect(bytes(request))._tag, "Malformed")
    })
  }

  it("a head that does not end within 16 KiB is malformed", () => {
    const head = bytes(`GET / HTTP/1.1\r\n${"X: y\r\n".repeat(5_000)}Host: example.com\r\n\r\n`)
    assert.strictEqual(inspect(head)._tag, "Malformed")
  })
})

describe("the comparison with the name of the connection", () => {
  const judge = (request: Buffer) => fronting("example.com", inspect(request) as Exclude<Hello, { _tag: "NeedMore" }>)

  it("the same name goes on, in any case and with a final dot", () => {
    for (const name of ["example.com", "EXAMPLE.COM", "example.com."]) {
      assert.isUndefined(judge(clientHello(serverName(name))))
      assert.isUndefined(judge(bytes(`GET / HTTP/1.1\r\nHost: ${name}:80\r\n\r\n`)))
    }
    assert.isUndefined(judge(bytes("SSH-2.0-x\r\n")))
  })

  it("another name, no name, and a malformed start are refused with their reason", () => {
    assert.strictEqual(
      judge(clientHello(serverName("evil.example"))),
      "the TLS server name (SNI) is \"evil.example\", and the connection is to example.com"
    )
    assert.strictEqual(
      judge(clientHello()),
      "the TLS ClientHello names no server (SNI), and the connection is to example.com"
    )
    assert.strictEqual(
      judge(bytes("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")),
      "the HTTP Host is \"evil.example\", and the connection is to example.com"
    )
    assert.strictEqual(
      judge(bytes("GET http://evil.example/ HTTP/1.1\r\nHost: example.com\r\n\r\n")),
      "the HTTP Host is \"evil.example\", and the connection is to example.com"
    )
    assert.isDefined(judge(clientHello(serverName("example.com\0.evil.example"))))
    assert.isBelow(judge(clientHello(serverName("x".repeat(9_000))))!.length, 300)
  })
})

describe("hostile first bytes", () => {
  const start = fc.constantFrom(
    bytes("\x16\x03\x01"),
    bytes("\x15\x02\x01"),
    bytes("\x80\x20\x01"),
    bytes(" GET / "),
    bytes("GET / HTTP/1.1\r\n"),
    bytes("\r\n"),
    clientHello(serverName("a.example")),
    bytes("")
  )
  const input = fc.tuple(start, fc.uint8Array({ maxLength: 300 })).map((parts) => Buffer.concat(parts))

  it("an answer for a prefix is the answer for what follows", () => {
    fc.assert(
      fc.property(input, fc.nat(400), (whole, cut) => {
        const early = inspect(whole.subarray(0, cut))
        if (early._tag !== "NeedMore") assert.deepStrictEqual(inspect(whole), early)
      }),
      { numRuns: 2_000 }
    )
  })

  it("changed bytes of a ClientHello never throw, and never give a name that is not in them", () => {
    const whole = clientHello(extension(10, Buffer.alloc(10)), serverName("a.example"), extension(16, Buffer.alloc(6)))
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const changed = Buffer.from(whole)
        for (const [at, value] of changes) changed[at] = value
        const hello = inspect(changed)
        if (hello._tag === "Tls" && hello.name !== undefined) assert.isTrue(changed.includes(bytes(hello.name)))
      }),
      { numRuns: 2_000 }
    )
  })
})
