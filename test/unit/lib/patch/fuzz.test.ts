import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { PatchRejected } from "../../../../src/contract/errors/errors.ts"
import { applyPatch } from "../../../../src/lib/patch/apply.ts"
import { byteString, pathProblem } from "../../../../src/lib/patch/model/patch.ts"
import { parsePatch } from "../../../../src/lib/patch/parse.ts"
import { makeCase, Random } from "./cases.ts"
import { formatPatch } from "./format-patch.ts"
import { patchTree, type Tree } from "./trees.ts"

const seed = Number(process.env["PYRO_TEST_SEED"] ?? 42)
const rounds = Number(process.env["PYRO_TEST_CASES"] ?? 3_000)

const v4a = (tree: Tree) =>
  Buffer.from(
    `*** Begin Patch\n${
      Array.from(tree.keys()).map((path, index) =>
        index % 2 === 0
          ? `*** Delete File: ${path}\n`
          : `*** Update File: ${path}\n*** Move to: x/${path}\n@@ line 1\n line 2\n-alpha\n+beta\n*** End of File\n`
      ).join("")
    }*** Add File: new\n+one\n*** End Patch\n`,
    "latin1"
  )

const tokens = [
  "../",
  "./",
  "/workspace/",
  "/",
  ".git/",
  "diff --git ",
  "--- a/",
  "+++ b/",
  "@@ -1,3 +1,4 @@\n",
  "@@ -999999999,999999999 +1 @@\n",
  "GIT binary patch\nliteral 4294967295\n",
  "delta 10\n",
  "rename from ",
  "rename to ../../etc\n",
  "\"",
  "\\000",
  "\n",
  "\r",
  "\\ No newline at end of file\n",
  "*** Update File: ",
  "new file mode 120000\n",
  "-",
  "+",
  " "
]

/** A patch with some of its bytes changed, put in, left out or repeated. */
const mutated = (random: Random, patch: Uint8Array): Buffer => {
  let bytes = Buffer.from(patch)
  for (let count = 1 + random.below(6); count > 0; count--) {
    const [one, other] = [random.below(bytes.length + 1), random.below(bytes.length + 1)].sort((a, b) => a - b)
    const [from, to] = [one!, Math.min(other!, one! + 200)]
    const put = [Buffer.from(random.pick(tokens), "latin1"), random.bytes(3), bytes.subarray(from, to), Buffer.alloc(0)]
    bytes = Buffer.concat([bytes.subarray(0, from), random.pick(put), bytes.subarray(random.pick([from, to]))])
  }
  return bytes
}

describe(`mutated patches (PYRO_TEST_SEED=${seed})`, () => {
  it("mutated patches are read or refused in time, and stay within the tree", () => {
    let [read, fits] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      const random = new Random(seed * 1_000_003 + round)
      const { before, changes } = makeCase(random)
      const bytes = mutated(random, random.below(4) === 0 ? v4a(before) : formatPatch(changes))
      const began = performance.now()
      try {
        const patch = parsePatch(bytes)
        read++
        const plan = Effect.runSync(Effect.result(applyPatch(patchTree(before), patch)))
        if (plan._tag === "Success") fits++
        for (const change of plan._tag === "Success" ? plan.success.changes : []) {
          for (const path of [change.path, ...(change.from === undefined ? [] : [change.from])]) {
            assert.isUndefined(pathProblem(byteString(path)), bytes.toString("latin1"))
          }
        }
      } catch (error) {
        if (!(error instanceof PatchRejected)) {
          throw new Error(`round ${round}:\n${bytes.toString("latin1")}`, { cause: error })
        }
      }
      assert.isBelow(performance.now() - began, 2_000, `round ${round}`)
    }
    // Mutations that are all refused at once would prove nothing.
    assert.isAbove(read, rounds / 10)
    assert.isAbove(fits, rounds / 100)
  })

  it("pathological patches end in bounded time", () => {
    const began = performance.now()
    const same = "same\n".repeat(100_000)
    const tree: Tree = new Map([["f", { mode: 0o100644, content: Buffer.from(same) }]])
    const hunks = Array.from(
      { length: 2_000 },
      (_, index) => `@@ -${index + 1},${10} +1,11 @@\n${" same\n".repeat(9)} other\n+x\n`
    ).join("")
    const worst = [
      `--- a/f\n+++ b/f\n${hunks}`,
      `--- a/f\n+++ b/f\n@@ -1,50000 +1,50001 @@\n${" same\n".repeat(49_999)}-other\n+x\n`,
      `*** Begin Patch\n*** Update File: f\n${"@@ nothing\n-same\n".repeat(5_000)}*** End Patch\n`,
      `*** Begin Patch\n*** Add File: ${" ".repeat(1_000_000)}x${" ".repeat(1_000_000)}\r \rx\n*** End Patch\n`,
      `diff --git ${"a/x ".repeat(200_000)}\n`,
      `--- a/f\n+++ b/f\n@@ -1 +1 @@\n-same\n+x${" ".repeat(5_000_000)}\n`,
      "@@ -1 +1 @@\n".repeat(100_000),
      "\"".repeat(1_000_000),
      `diff --git "${"\\".repeat(1_000_000)}\n`
    ]
    for (const text of worst) {
      try {
        Effect.runSync(Effect.result(applyPatch(patchTree(tree), parsePatch(Buffer.from(text)))))
      } catch (error) {
        assert.instanceOf(error, PatchRejected)
      }
    }
    assert.isBelow(performance.now() - began, 15_000)
  })

  it("the diff of large files is exact and takes bounded time", () => {
    const lines = (of: (index: number) => string) =>
      Buffer.from(Array.from({ length: 200_000 }, (_, index) => `${of(index)}\n`).join(""))
    const base = lines((index) => `line ${index}`)
    for (
      const other of [
        lines((index) => `line ${index % 1_000 === 7 ? -index : index}`),
        lines((index) => `line ${(index * 7919) % 200_000}`),
        lines((index) => `other ${index}`)
      ]
    ) {
      const before = { mode: 0o100644, content: base } as const
      const began = performance.now()
      const patch = formatPatch([{ path: Buffer.from("f"), before, after: { ...before, content: other } }])
      assert.isBelow(performance.now() - began, 8_000)
      const plan = Effect.runSync(applyPatch(patchTree(new Map([["f", before]])), parsePatch(patch)))
      assert.isTrue(Buffer.from(plan.changes[0]!.after!.content).equals(other))
    }
  })
})
