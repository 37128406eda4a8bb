import { assert, describe, it } from "vitest"
import { lineHash } from "../../../../src/lib/patch/format/text-diff.ts"
import { diffOf } from "./trees.ts"

/** The first 32 bits of the hash, which each further character changes for itself. */
const high = (line: string) => Math.floor(lineHash(line) / 0x200000)

/** Two endings of a line that leave it with the same first bits. */
const twins = (line: string): readonly [string, string] => {
  const seen = new Map<number, string>()
  for (let i = 0;; i++) {
    const ending = (Math.imul(i, 0x9e3779b1) >>> 0).toString(36)
    const known = seen.get(high(line + ending))
    if (known !== undefined) return [known, ending]
    seen.set(high(line + ending), ending)
  }
}

/** Two lines of one hash: each pair of twins doubles the lines that have the same first bits; of 8,192 two have the others too. */
const colliding = (): readonly [string, string] => {
  let lines = [""]
  for (let pair = 0; pair < 13; pair++) {
    const endings = twins(lines[0]!)
    lines = lines.flatMap((line) => endings.map((ending) => line + ending))
  }
  const seen = new Map<number, string>()
  for (const line of lines.map((line) => `${line}\n`)) {
    const known = seen.get(lineHash(line))
    if (known !== undefined) return [known, line]
    seen.set(lineHash(line), line)
  }
  throw new Error("none were found")
}

describe("lines of one hash", () => {
  it("diff distinguishes lines with one hash", () => {
    const [one, other] = colliding()
    assert.notStrictEqual(one, other)
    const { hunks, kept } = diffOf(`a\n${one}b\n`, `c\n${other}b\n`)
    assert.strictEqual(kept, 2)
    assert.strictEqual(hunks, `@@ -1,3 +1,3 @@\n-a\n-${one}+c\n+${other} b\n`)
  })
})
