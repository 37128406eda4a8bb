import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { Calls } from "../../../../src/lib/guest-channel/model/calls.ts"
import { FrameDecoder } from "../../../../src/lib/guest-channel/wire/frame.ts"
import { AgentMessage, HostMessage } from "../../../../src/lib/guest-channel/wire/messages.ts"
import { samples } from "./samples.ts"

// Both languages read and re-encode these files. `test/fixtures/frames/generate` writes them anew.
const folder = new URL("../../../fixtures/frames/", import.meta.url)

/** Fields as JSON: text where it is plain, other bytes as `hex:`, 64-bit numbers as decimal text. */
const readable = (_key: string, value: unknown): unknown => {
  if (typeof value === "bigint") return value.toString()
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString("latin1")
    return /^[ -~\n]*$/.test(text) ? text : `hex:${Buffer.from(value).toString("hex")}`
  }
  return value
}
// Buffer.toJSON runs before a replacer sees the value, so bytes are taken as plain Uint8Array first.
const plain = (value: unknown): unknown =>
  value instanceof Uint8Array
    ? Uint8Array.from(value)
    : Array.isArray(value)
    ? value.map(plain)
    : value !== null && typeof value === "object"
    ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]))
    : value
const describeFrame = (sample: (typeof samples)[number], fields: unknown) =>
  `${
    JSON.stringify(
      plain({ direction: sample.direction, kind: sample.kind, stream: sample.stream, fields }),
      readable,
      2
    )
  }\n`

if (process.env["PYRO_UPDATE_FIXTURES"] === "1") {
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (/\.(bin|json)$/.test(name)) rmSync(new URL(name, folder))
  for (const sample of samples) {
    writeFileSync(new URL(`${sample.name}.bin`, folder), sample.frame)
    writeFileSync(new URL(`${sample.name}.json`, folder), describeFrame(sample, sample.fields))
  }
}

describe("golden frames", () => {
  it("the golden files are exactly the samples of this suite", () => {
    const names = readdirSync(folder).filter((name) => /\.(bin|json)$/.test(name)).sort()
    assert.deepStrictEqual(names, samples.flatMap(({ name }) => [`${name}.bin`, `${name}.json`]).sort())
  })

  it("the golden frames have every kind of frame and every call", () => {
    const kinds = [...Object.values(HostMessage), ...Object.values(AgentMessage)].map((message) => message.kind)
    assert.deepStrictEqual([...new Set(samples.map((sample) => sample.kind))].sort(), kinds.sort())
    const ops = samples.flatMap(({ fields, kind }) =>
      kind === HostMessage.Call.kind ? [(fields as { readonly op: number }).op] : []
    )
    assert.deepStrictEqual(ops, Object.values(Calls).map(({ op }) => op))
  })

  for (const sample of samples) {
    it(`the golden frame ${sample.name} is written and read the same`, () => {
      const stored = readFileSync(new URL(`${sample.name}.bin`, folder))
      assert.isTrue(stored.equals(sample.frame), "encoded frame differs from the stored one")
      let seen = 0
      new FrameDecoder((stream, kind, payload) => {
        seen++
        assert.deepStrictEqual([stream, kind], [sample.stream, sample.kind])
        const fields = sample.decode(payload)
        assert.strictEqual(describeFrame(sample, fields), describeFrame(sample, sample.fields))
        assert.strictEqual(
          describeFrame(sample, fields),
          readFileSync(new URL(`${sample.name}.json`, folder), "utf8")
        )
      }).push(stored)
      assert.strictEqual(seen, 1)
    })
  }
})
