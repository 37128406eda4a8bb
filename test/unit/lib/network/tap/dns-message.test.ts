import { assert, describe, it } from "vitest"
import { addressRecords, RCODE, readQuestion, writeReply } from "../../../../../src/lib/network/both/tap/dns-message.ts"
import { readAddress } from "../../../../../src/lib/network/model/address.ts"

const label = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, "latin1")])
const words = (...values: ReadonlyArray<number>) => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]))

/** A query with one question; the name's bytes are given as they are. */
const query = (name: Buffer, { counts = [1, 0, 0, 0], flags = 0x0100, rest = words(1, 1) } = {}) =>
  Buffer.concat([words(0x1234, flags, ...counts), name, rest])
const NAME = Buffer.concat([label("Server"), label("test"), Buffer.from([0])])

describe("the DNS messages of a guest", () => {
  it("a question is read, also with further records after it", () => {
    const { bytes: _, ...read } = readQuestion(
      Buffer.concat([query(NAME, { counts: [1, 0, 0, 1] }), Buffer.alloc(11)])
    )!
    assert.deepStrictEqual(read, { id: 0x1234, flags: 0x0100, name: "Server.test", type: 1 })
  })

  const refused: ReadonlyArray<readonly [what: string, message: Buffer]> = [
    ["an empty message", Buffer.alloc(0)],
    ["a message without its end", query(NAME).subarray(0, -1)],
    ["a response", query(NAME, { flags: 0x8100 })],
    ["another operation", query(NAME, { flags: 0x2800 })],
    ["no question", query(Buffer.alloc(0), { counts: [0, 0, 0, 0], rest: Buffer.alloc(0) })],
    ["two questions", query(NAME, { counts: [2, 0, 0, 0] })],
    ["another class", query(NAME, { rest: words(1, 3) })],
    ["a compressed name", query(Buffer.from([0xc0, 12]))],
    ["a name without its end", query(Buffer.concat([label("a"), Buffer.from([60])]), { rest: Buffer.alloc(3) })],
    ["a dot inside a label", query(Buffer.concat([label("a.b"), Buffer.from([0])]))],
    ["a name of 300 bytes", query(Buffer.concat([...Array.from({ length: 150 }, () => label("a")), Buffer.from([0])]))]
  ]
  for (const [what, message] of refused) {
    it(`${what} is no question`, () => assert.isUndefined(readQuestion(message)))
  }

  it("no cut or changed message throws", () => {
    const whole = query(NAME)
    for (let at = 0; at < whole.length; at++) {
      readQuestion(whole.subarray(0, at))
      for (const value of [0, 63, 64, 192, 255]) {
        const changed = Buffer.from(whole)
        changed[at] = value
        readQuestion(changed)
      }
    }
  })

  it("an answer has the question, its flags and the addresses", () => {
    const question = readQuestion(query(NAME))!
    const reply = { code: RCODE.ok, records: addressRecords(1, [readAddress("203.0.113.10")!], 30), count: 1 }
    const message = writeReply(question, reply, 512)
    assert.strictEqual(message.subarray(0, 12).toString("hex"), "123481800001000100000000")
    assert.strictEqual(message.subarray(12, -16).toString("hex"), question.bytes.toString("hex"))
    assert.strictEqual(message.subarray(-16).toString("hex"), "c00c000100010000001e0004cb00710a")
    assert.strictEqual(
      addressRecords(28, [readAddress("2001:db8::a")!], 30).toString("hex"),
      "c00c001c00010000001e001020010db800000000000000000000000a"
    )
  })

  it("an answer that is too long for UDP has no records and says so", () => {
    const question = readQuestion(query(NAME))!
    const addresses = Array.from({ length: 40 }, (_, at) => readAddress(`203.0.113.${at}`)!)
    const reply = { code: RCODE.ok, records: addressRecords(1, addresses, 30), count: 40 }
    const message = writeReply(question, reply, 512)
    assert.strictEqual(message.readUInt16BE(2) & 0x0200, 0x0200)
    assert.strictEqual(message.readUInt16BE(6), 0)
    assert.strictEqual(message.length, 12 + question.bytes.length)
    assert.strictEqual(writeReply(question, reply, 65_535).readUInt16BE(6), 40)
  })
})
