import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { afterAll, beforeAll } from "vitest"
import { describeBothWays, exportPath } from "./export-ways.ts"
import { type Claimed, guestWith, payload, resultOf, scratch, useSanitizedPut } from "./fake-guest.ts"

let restore = () => {}
beforeAll(() => void (restore = useSanitizedPut()))
afterAll(() => restore())

const claims: ReadonlyArray<Claimed> = [
  { path: "d", type: "directory", mode: 0o2777, hasAttributes: true },
  { path: "d/run", mode: 0o6755, content: "#!/bin/sh\n" },
  { path: "plain", content: "p" },
  { path: "z", mode: 0o4755, content: "z", hasAttributes: true }
]

const warningsOf = (fields: Parameters<typeof payload>[0]) =>
  Effect.map(
    resultOf(payload(fields), exportPath(guestWith(claims), payload(fields))),
    ({ result }) => result.warnings.map(({ message }) => message)
  )

const attributes = "extended attributes (user attributes, capabilities or access control lists)"

describeBothWays("what an export drops", () => {
  it.live("an export counts the set-user-ID bits and extended attributes that it drops, and names the first file", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const expected = [
        "the copies of 3 files and directories lack the set-user-ID or set-group-ID bit: d and 2 more",
        `the copies of 2 files and directories lack ${attributes}: d and 1 more`
      ]
      assert.deepStrictEqual(yield* warningsOf({ output: `${folder}/out` }), expected)
      assert.deepStrictEqual(yield* warningsOf({ output: `${folder}/out.tar` }), expected)
      assert.deepStrictEqual(yield* warningsOf({ path: "z", output: `${folder}/z` }), [
        "the copy of 1 file or directory lacks the set-user-ID or set-group-ID bit: the output",
        `the copy of 1 file or directory lacks ${attributes}: the output`
      ])
      assert.deepStrictEqual(yield* warningsOf({ path: "plain", output: `${folder}/plain` }), [])
    }))
})
