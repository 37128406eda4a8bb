import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { markerOf, OutputFilter } from "../../../../src/lib/redaction/filter.ts"
import { Matcher, type Pattern } from "../../../../src/lib/redaction/search.ts"
import { type SecretSet, secretSet } from "../../../../src/lib/redaction/secrets.ts"

const NAMES = ["A", "B", "C"]

/** A set whose values may be shorter than a person's: short ones overlap more often. */
const setOf = (values: ReadonlyArray<string>): SecretSet => ({
  names: NAMES,
  matcher: new Matcher(values.map((value, owner): Pattern => ({ bytes: Buffer.from(value, "latin1"), owner })))
})

/** The same rules, by comparison at every position of the whole text. */
const naive = (values: ReadonlyArray<string>, text: string): string => {
  const all = [...text].flatMap((_, begin) =>
    values.flatMap((value, owner) => text.startsWith(value, begin) ? [{ begin, end: begin + value.length, owner }] : [])
  )
  const outer = all.filter((one, index) =>
    !all.some((other, at) =>
      other.begin <= one.begin && other.end >= one.end &&
      (other.begin < one.begin || other.end > one.end || at < index)
    )
  )
  let output = ""
  let done = 0
  let last: number | undefined
  for (const { begin, end, owner } of outer) {
    if (begin > done) output += text.slice(done, begin)
    if (begin >= done || last !== owner) output += markerOf(NAMES[owner]!)
    last = owner
    done = end
  }
  return output + text.slice(done)
}

const joined = (pieces: ReadonlyArray<Uint8Array>) => Buffer.concat(pieces).toString("latin1")

const cut = (text: string, lengths: ReadonlyArray<number>) => {
  const pieces: Array<Uint8Array> = []
  let at = 0
  for (const length of lengths) {
    pieces.push(Buffer.from(text.slice(at, at + length), "latin1"))
    at += length
  }
  return [...pieces, Buffer.from(text.slice(at), "latin1")]
}

const word = (length: { readonly minLength: number; readonly maxLength: number }) =>
  FastCheck.array(FastCheck.constantFrom("a", "b", "\n"), length).map((letters) => letters.join(""))
const values = FastCheck.uniqueArray(word({ minLength: 3, maxLength: 9 }), { minLength: 1, maxLength: 3 })
const text = word({ minLength: 0, maxLength: 120 })
const lengths = FastCheck.array(FastCheck.integer({ min: 0, max: 12 }), { maxLength: 40 })

describe("output filter", () => {
  it("replaces what a comparison at every position replaces, wherever the output is cut", () => {
    FastCheck.assert(
      FastCheck.property(values, text, lengths, (values, text, lengths) => {
        const filter = new OutputFilter(setOf(values))
        const pieces = cut(text, lengths).flatMap((piece) => [...filter.push(piece)])
        assert.strictEqual(joined([...pieces, ...filter.end()]), naive(values, text))
      }),
      { numRuns: 5_000 }
    )
  })

  it("replaces the same after a pause at any place, but for two bytes of each beginning", () => {
    FastCheck.assert(
      FastCheck.property(values, text, lengths, (values, text, lengths) => {
        const filter = new OutputFilter(setOf(values))
        const pieces = cut(text, lengths).flatMap((piece) => [...filter.push(piece), ...filter.pause()])
        const output = joined([...pieces, ...filter.end()])
        const long = values.filter((value) => value.length > 5)
        // A marker stands for at least one byte that the output lacks.
        for (const value of long) assert.notInclude(output, value)
      }),
      { numRuns: 3_000 }
    )
  })

  it("continues at its position after a crash, and shows no byte of a secret", () => {
    FastCheck.assert(
      FastCheck.property(values, text, lengths, FastCheck.nat(40), (values, text, lengths, crashAt) => {
        const set = setOf(values)
        const pieces = cut(text, lengths)
        let filter = new OutputFilter(set)
        const output: Array<Uint8Array> = []
        pieces.forEach((piece, index) => {
          output.push(...filter.push(piece))
          if (index !== crashAt) return
          const { position } = filter
          const sent = Buffer.concat(pieces.slice(0, index + 1))
          filter = new OutputFilter(set, position)
          output.push(...filter.push(sent.subarray(position.from)))
        })
        output.push(...filter.end())
        // Only a marker may come twice.
        const single = (text: string) => text.replace(/(\[secret:.\])+/g, "*")
        assert.strictEqual(single(joined(output)), single(naive(values, text)))
      }),
      { numRuns: 3_000 }
    )
  })

  it("gives the same with other secrets from the middle of the output on", () => {
    const first = setOf(["aaab"])
    const filter = new OutputFilter(first)
    const shown = joined(filter.push(Buffer.from("xxaaa")))
    const next = new OutputFilter(setOf(["aaac"]), filter.position)
    const rest = joined([...next.push(filter.bufferedInput), ...next.push(Buffer.from("cy")), ...next.end()])
    assert.strictEqual(shown + rest, "xx[secret:A]y")
  })

  it("holds nothing back of output that begins no secret", () => {
    const filter = new OutputFilter(secretSet([{ name: "A", value: "correct horse" }])!)
    assert.strictEqual(joined(filter.push(Buffer.from("password: "))), "password: ")
    assert.isFalse(filter.isBuffering)
  })

  it("shows the end of a prompt after a pause", () => {
    const filter = new OutputFilter(secretSet([{ name: "A", value: ": correct horse" }])!)
    assert.strictEqual(joined(filter.push(Buffer.from("password: "))), "password")
    assert.strictEqual(joined(filter.pause()), ": ")
    assert.strictEqual(joined([...filter.push(Buffer.from("correct horse!")), ...filter.end()]), "[secret:A]!")
  })

  it("takes linear time and bounded memory for a secret of 1 MiB, printed one byte at a time", () => {
    const value = `${"a".repeat(1_048_575)}b`
    const set = secretSet([{ name: "A", value }, { name: "B", value: "aaaaaaaaaaaaaaac" }])!
    const filter = new OutputFilter(set)
    const output: Array<Uint8Array> = []
    const input = Buffer.from(`<${value}>`)
    for (let at = 0; at < input.length; at++) output.push(...filter.push(input.subarray(at, at + 1)))
    output.push(...filter.end())
    assert.strictEqual(joined(output), "<[secret:A]>")
  })

  it("takes linear time for output that begins a long secret at each byte", () => {
    const set = secretSet([{ name: "A", value: `${"a".repeat(100_000)}b` }])!
    const filter = new OutputFilter(set)
    const piece = Buffer.alloc(65_536, "a")
    let bytes = 0
    for (let count = 0; count < 256; count++) for (const shown of filter.push(piece)) bytes += shown.length
    for (const shown of filter.end()) bytes += shown.length
    assert.strictEqual(bytes, 256 * 65_536)
  })
})
