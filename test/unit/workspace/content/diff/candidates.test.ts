import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { GuestChannel } from "../../../../../src/lib/guest-channel/GuestChannel.ts"
import type { Difference } from "../../../../../src/lib/guest-channel/model/files.ts"
import {
  collectCandidates,
  MAX_CANDIDATES,
  MAX_PATH_BYTES
} from "../../../../../src/workspace/content/diff/candidates.ts"
import { workspaceTrees } from "../../../../../src/workspace/life/guest/baseline.ts"

/** Candidates of a guest in which `count` files of one name are new. */
const collected = (count: number, name: string) => {
  const path = Buffer.from(name)
  const difference = { path, old: undefined, new: { type: "file", mode: 0o644, size: 1 } } as unknown as Difference
  const channel = {
    call: { baseline: () => Effect.void },
    compare: () => Stream.map(Stream.range(1, count, 10_000), () => difference)
  } as unknown as GuestChannel
  return Effect.map(
    collectCandidates({ channel, trees: workspaceTrees }, false),
    ({ candidates }) => candidates
  )
}

describe("files that differ from the seed", () => {
  it.effect("a diff accepts 300,000 differing files, and refuses one more with the limit", () =>
    Effect.gen(function*() {
      assert.strictEqual(MAX_CANDIDATES, 300_000)
      assert.lengthOf(yield* collected(300_000, "file"), 300_000)
      const failure = yield* Effect.flip(collected(300_001, "file"))
      assert.deepInclude(failure, { code: "file_refused", reason: "too_large" })
      assert.include(failure.message, "more than 300000 files differ from the baseline")
    }))

  it.effect("a diff refuses differing files whose names are too long together", () =>
    Effect.gen(function*() {
      const name = "n".repeat(4_096)
      const most = MAX_PATH_BYTES / name.length
      assert.lengthOf(yield* collected(most, name), most)
      assert.include((yield* Effect.flip(collected(most + 1, name))).message, "their names are longer than 32 MiB")
    }))
})
