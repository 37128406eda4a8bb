import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { GuestChannel } from "../../../../src/lib/guest-channel/GuestChannel.ts"
import type { WalkEntry } from "../../../../src/lib/guest-channel/model/files.ts"
import { readPushed } from "../../../../src/lib/seeding/model/pushed.ts"
import { readGuest, type SyncTrees } from "../../../../src/lib/seeding/sync/guest-state.ts"
import type { HostFile } from "../../../../src/lib/seeding/sync/host-tree.ts"
import { newPush, planFile } from "../../../../src/lib/seeding/sync/plan.ts"
import { demandRoom } from "../../../../src/lib/seeding/sync/room.ts"
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
    host: { root, dest: "", files: new Map(), skipped: [], left: [], notes: [] },
    folder,
    force: false
  })
  const file: HostFile = { path: Buffer.from("file"), mode: 0o100644, permissions: 0o644, size: 5, mtimeNs: 1n }
  return { push, file }
})

describe("limits of a push", () => {
  it.live("a push holds no content of a file, however large", () =>
    Effect.gen(function*() {
      const { file, push } = yield* pushOfOne
      const at = path.join(push.host.root, "file")
      for (const size of [0, 5, mib, mib + 1, 700 * mib]) {
        fs.truncateSync(at, size)
        push.changes.length = 0
        yield* planFile(push, "file", { ...file, size })
        const [change] = push.changes
        assert.isTrue(change?._tag === "file" && "pieces" in change.content)
        if (change?._tag !== "file" || !("pieces" in change.content)) return
        let sum = 0
        for (const piece of change.content.pieces()) {
          assert.isAtMost(piece.length, mib)
          sum += piece.length
        }
        assert.deepStrictEqual([change.content.size, sum], [size, size])
      }
      assert.deepStrictEqual([push.skipped, push.bytes], [[], 5 + mib + mib + 1 + 700 * mib])
    }))

  it.live("a push of more than the host's disk has room for is refused before a copy", () =>
    Effect.gen(function*() {
      const { file, push: { folder, guest, host } } = yield* pushOfOne
      const tree = (size: number) => ({ ...host, files: new Map([["file", { ...file, size }]]) })
      const { bavail, bsize } = fs.statfsSync(folder)
      yield* demandRoom(tree(mib), guest, folder)
      const failure = yield* Effect.flip(demandRoom(tree(2 * bavail * bsize), guest, folder))
      assert.deepInclude(failure, { _tag: "NoSpace", where: "state directory", path: folder })
      assert.isFalse(fs.existsSync(path.join(folder, "pushed")))
      // A file that the guest has already is not copied.
      const size = 2 * bavail * bsize
      const initial = new Map([["file", { mode: 0o100644, size, mtimeNs: 1n, link: undefined }]])
      yield* demandRoom(tree(size), { initial } as never, folder)
    }))

  it.live("a push reports a file that was replaced by a link, and keeps nothing of the link's target", () =>
    Effect.gen(function*() {
      const { file, push } = yield* pushOfOne
      const at = path.join(push.host.root, "file")
      fs.renameSync(at, path.join(push.host.root, "secret"))
      fs.symlinkSync("secret", at)
      yield* planFile(push, "file", file)
      assert.deepStrictEqual(push.skipped, [{ path: "file", reason: "ELOOP" }])
      assert.isFalse(fs.existsSync(path.join(push.folder, "pushed")))
    }))

  it.live("a push to a workspace of more than 1,000,000 files is refused", () =>
    Effect.gen(function*() {
      const pushed = yield* readPushed(yield* temporaryDirectory)
      const failure = yield* Effect.flip(readGuest(guestOf(1_000_001), trees, pushed))
      assert.deepInclude(failure, { code: "file_refused", reason: "too_large", path: "/workspace" })
    }))
})
