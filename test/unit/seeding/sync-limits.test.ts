import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { WalkEntry } from "../../../src/guest-channel/files.ts"
import type { GuestChannel } from "../../../src/guest-channel/GuestChannel.ts"
import { readPushed } from "../../../src/seeding/pushed.ts"
import { readGuest, type SyncTrees } from "../../../src/seeding/sync/guest-state.ts"
import type { HostFile } from "../../../src/seeding/sync/host-tree.ts"
import { newPush, planFile } from "../../../src/seeding/sync/plan.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"

const mib = 1024 * 1024
const trees = { live: { root: "/workspace", path: "" }, baseline: { root: "baseline:", path: "" } } as SyncTrees

/** A guest whose trees have `count` files each. */
const guestOf = (count: number) => {
  const names = Buffer.from(Uint32Array.from({ length: count }, (_, at) => at).buffer)
  const entryAt = (at: number) =>
    ({ type: "file", mode: 0o644, path: names.subarray(4 * at, 4 * at + 4) }) as unknown as WalkEntry
  return {
    walk: () => Stream.map(Stream.range(0, count - 1, 10_000), entryAt),
    compare: () => Stream.empty
  } as unknown as GuestChannel
}

/** A push to an empty guest from a directory that has `file` with five bytes. */
const pushOfOne = Effect.gen(function*() {
  const folder = yield* temporaryDirectory
  const root = path.join(folder, "host")
  fs.mkdirSync(root)
  fs.writeFileSync(path.join(root, "file"), "12345")
  const guest = yield* readGuest(guestOf(0), trees, yield* readPushed(folder))
  const push = newPush({
    guest,
    host: { root, dest: "", files: new Map(), skipped: [], left: [] },
    folder,
    force: false
  })
  const file: HostFile = { path: Buffer.from("file"), mode: 0o100644, permissions: 0o644, size: 5, mtimeNs: 1n }
  return { push, file }
})

describe("limits of a push", () => {
  it.live("a push copies a file of 64 MiB, and skips a larger one with the reason", () =>
    Effect.gen(function*() {
      const { file, push } = yield* pushOfOne
      yield* planFile(push, "file", { ...file, size: 64 * mib + 1 })
      assert.deepStrictEqual(push.skipped.map(({ path }) => path), ["file"])
      assert.include(push.skipped[0]!.reason, "larger than 64 MiB")
      assert.isEmpty(push.changes)
      yield* planFile(push, "file", { ...file, size: 64 * mib })
      assert.deepStrictEqual(push.files, [{ path: "file", change: "added" }])
    }))

  it.live("a push copies 512 MiB, and leaves the rest to the next push", () =>
    Effect.gen(function*() {
      const { file, push } = yield* pushOfOne
      push.bytes = 512 * mib - 4
      yield* planFile(push, "file", file)
      assert.deepStrictEqual([push.files, push.skipped.map(({ path }) => path)], [[], ["file"]])
      assert.include(
        push.skipped[0]!.reason,
        "more than 512 MiB changed, the most of one push; the next push brings it"
      )
      push.bytes = 512 * mib - 5
      yield* planFile(push, "file", file)
      assert.deepStrictEqual([push.bytes, push.files], [512 * mib, [{ path: "file", change: "added" }]])
    }))

  it.live("a push to a workspace of more than 1,000,000 files is refused", () =>
    Effect.gen(function*() {
      const pushed = yield* readPushed(yield* temporaryDirectory)
      const failure = yield* Effect.flip(readGuest(guestOf(1_000_001), trees, pushed))
      assert.deepInclude(failure, { code: "file_refused", reason: "too_large", path: "/workspace" })
    }))
})
