import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { FirstIds } from "../../../../src/lib/network/daemon/datagrams/first-ids.ts"
import { quicJudge } from "../../../../src/lib/network/daemon/datagrams/judge-quic.ts"
import { clientHello, cryptoFrame, initialPacket } from "../../../support/network/quic.ts"

type Fixture = "long" | "longOther" | "noName" | "other" | "version1" | "version2"

// Of real clients: test/fixtures/quic/generate.py.
const fixtures = JSON.parse(
  readFileSync(new URL("../../../fixtures/quic/first-datagrams.json", import.meta.url), "utf8")
) as Record<Fixture, ReadonlyArray<string>>
const datagrams = (name: Fixture): Array<Buffer> => fixtures[name].map((text) => Buffer.from(text, "base64"))

const NAME = "example.com"

/** What happens to each of the datagrams: the tag, or the reason of a denial. */
const verdicts = (sent: ReadonlyArray<Buffer>, name = NAME, mayRead = () => true, ids = new FirstIds()) => {
  const judge = quicJudge(name, mayRead, ids)
  return sent.map((one) => {
    const verdict = judge(one)
    return verdict._tag === "Denied" ? verdict.detail : verdict._tag
  })
}

const OTHER = `the TLS server name (SNI) is "evil.example", and the connection is to example.com`

describe("the server name of QUIC", () => {
  it("a handshake with the flow's name passes, in both versions and over several datagrams", () => {
    assert.deepStrictEqual(verdicts(datagrams("version1")), ["Send"])
    assert.deepStrictEqual(verdicts(datagrams("version2")), ["Send"])
    assert.deepStrictEqual(verdicts(datagrams("long")), ["Hold", "Hold", "Send"])
    assert.deepStrictEqual(verdicts(datagrams("long").toReversed()), ["Hold", "Hold", "Send"])
  })

  it("another name, and none, are denied with the datagram that completes the handshake", () => {
    assert.deepStrictEqual(verdicts(datagrams("other")), [OTHER])
    assert.strictEqual(verdicts(datagrams("longOther")).at(-1), OTHER)
    assert.strictEqual(verdicts(datagrams("longOther").toReversed()).at(-1), OTHER)
    assert.deepStrictEqual(verdicts(datagrams("noName")), [
      "the TLS ClientHello names no server (SNI), and the connection is to example.com"
    ])
  })

  it("a second connection of the same flow is judged as the first, also after other bytes", () => {
    const noise = Buffer.from("this is not QUIC")
    assert.deepStrictEqual(
      verdicts([noise, ...datagrams("version1"), ...datagrams("version1"), ...datagrams("other")]),
      [
        "Send",
        "Send",
        "Send",
        OTHER
      ]
    )
  })

  it("a handshake hidden behind another packet of the same datagram is found", () => {
    const [first] = datagrams("version1")
    const [other] = datagrams("other")
    // Without the zeros behind the packet, which make the datagram as long as QUIC asks for.
    const packet = first!.subarray(0, first!.findLastIndex((byte) => byte !== 0) + 1)
    assert.deepStrictEqual(verdicts([Buffer.concat([packet, other!])]), [OTHER])
  })

  it("a packet without QUIC's fixed bit is read as any other", () => {
    // The tag covers the header, so the packet is one that no server reads.
    const [other] = datagrams("other")
    other![0]! &= 0xbf
    assert.deepStrictEqual(verdicts([other!]), ["Drop"])
  })

  it("packets that no server could read are dropped, and do not stop the judgement", () => {
    const [other] = datagrams("other")
    const wrong = Buffer.from(other!)
    wrong[wrong.length - 1]! ^= 1
    const [good] = datagrams("version1")
    const result = verdicts([wrong, good!, other!])
    assert.strictEqual(result.at(-1), OTHER)
  })

  it("a handshake beyond the pace is dropped, and other packets pass", () => {
    let left = 1
    const mayRead = () => left-- > 0
    const [good] = datagrams("version1")
    assert.deepStrictEqual(verdicts([good!, good!, Buffer.from([0x40, 1])], NAME, mayRead), ["Send", "Drop", "Send"])
  })

  it("no part of a handshake goes out before its name was read, and then all parts go in order", () => {
    const held = datagrams("long")
    const last = held.pop()!
    const judge = quicJudge(NAME, () => true, new FirstIds())
    assert.deepStrictEqual(held.map((one) => judge(one)._tag), ["Hold", "Hold"])
    assert.deepStrictEqual(judge(last), { _tag: "Send", held })
    // The parts of one that is denied stay here.
    assert.deepStrictEqual(verdicts(datagrams("longOther")), ["Hold", "Hold", OTHER])
  })

  it("a handshake that is begun on one flow is not continued on another", () => {
    const hello = clientHello("evil.example")
    const id = Buffer.from("0102030405060708", "hex")
    const ids = new FirstIds()
    assert.deepStrictEqual(
      verdicts([initialPacket(id, cryptoFrame(0, hello.subarray(0, 50)))], NAME, () => true, ids),
      ["Hold"]
    )
    assert.deepStrictEqual(
      verdicts([initialPacket(id, cryptoFrame(50, hello.subarray(50)), 1)], NAME, () => true, ids),
      ["Drop"]
    )
  })

  it("a handshake is not continued after other connections of the flow have displaced it", () => {
    const hello = clientHello("evil.example")
    const id = Buffer.from("0102030405060708", "hex")
    const others = Array.from(
      { length: 8 },
      (_, at) => initialPacket(Buffer.alloc(8, at + 16), cryptoFrame(0, clientHello(NAME)))
    )
    assert.deepStrictEqual(
      verdicts([
        initialPacket(id, cryptoFrame(0, hello.subarray(0, 50))),
        ...others,
        initialPacket(id, cryptoFrame(50, hello.subarray(50)), 1)
      ]),
      ["Hold", ...others.map(() => "Send"), "Drop"]
    )
  })

  it("a packet with more pieces or gaps than a client makes is dropped: to put them together takes the host's time", () => {
    const id = Buffer.from("0102030405060708", "hex")
    const apart = (count: number) =>
      Buffer.concat(Array.from({ length: count }, (_, at) => cryptoFrame(1 + 2 * at, Buffer.from([7]))))
    assert.deepStrictEqual(verdicts([initialPacket(id, apart(20))]), ["Hold"])
    assert.deepStrictEqual(verdicts([initialPacket(id, apart(100))]), ["Drop"])
    assert.deepStrictEqual(verdicts([initialPacket(id, apart(1_000))]), ["Drop"])
    const pings = Buffer.from("4001".repeat(1_000), "hex")
    assert.deepStrictEqual(verdicts([initialPacket(id, pings)]), ["Drop"])
  })

  it("parts that wait for their handshake are bounded, and its end is found all the same", () => {
    const hello = clientHello(NAME)
    const id = Buffer.from("0102030405060708", "hex")
    const parts = Array.from({ length: 40 }, (_, at) => initialPacket(id, cryptoFrame(20, hello.subarray(20)), at))
    const judge = quicJudge(NAME, () => true, new FirstIds())
    const held = parts.filter((one) => judge(one)._tag === "Hold")
    assert.isBelow(held.length, 30)
    assert.deepStrictEqual(judge(initialPacket(id, cryptoFrame(0, hello.subarray(0, 20)), 40)), { _tag: "Send", held })
  })

  it("versions whose names cannot be read are denied", () => {
    for (const version of [0xff00001d, 0x51303530, 0x54303531, 0xfaceb002, 0xabcd0001]) {
      const [first] = datagrams("version1")
      first!.writeUInt32BE(version, 1)
      assert.match(verdicts([first!])[0]!, /a version of QUIC whose server name cannot be read/)
    }
  })

  it("other protocols pass, and every cut and every changed byte gives a verdict", () => {
    const ntp = Buffer.alloc(48)
    ntp[0] = 0xe3
    assert.deepStrictEqual(verdicts([ntp, Buffer.alloc(0), Buffer.from([0x40, 1, 2])]), ["Send", "Send", "Send"])
    const [other] = datagrams("other")
    for (let size = 0; size < other!.length; size += 7) assert.lengthOf(verdicts([other!.subarray(0, size)]), 1)
    for (let at = 0; at < 60; at++) {
      const changed = Buffer.from(other!)
      changed[at]! ^= 0xff
      assert.lengthOf(verdicts([changed]), 1)
    }
  })
})
