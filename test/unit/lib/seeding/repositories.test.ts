import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import {
  lockOf,
  pruneRepositories,
  repositoriesOf,
  sweepRepositories
} from "../../../../src/lib/seeding/model/cache.ts"
import { withLock } from "../../../../src/system/files/lock.ts"
import { bytesBeneath } from "../../../../src/system/files/usage.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { write } from "./support.ts"

const repository = (cache: string, name: string, files: Readonly<Record<string, string>>, hoursAgo: number) => {
  const directory = path.join(repositoriesOf(cache), `${name}.git`)
  write(directory, { HEAD: "ref: refs/heads/none\n", "objects/pack/pack-1.pack": "p".repeat(10_000), ...files })
  const used = Date.now() / 1000 - hoursAgo * 3600
  fs.utimesSync(directory, used, used)
  return directory
}

describe("fetched repositories in the cache", () => {
  it.live("a fetched repository loses the rest of a killed fetch, unless a fetch is running", () =>
    Effect.gen(function*() {
      const cache = yield* temporaryDirectory
      const left = {
        "shallow.lock": "",
        "refs/pyro/full/abc.lock": "",
        "objects/tmp_objdir-incoming-1/a": "a",
        "objects/pack/tmp_pack_1": "t"
      }
      const free = repository(cache, "free", left, 0)
      const busy = repository(cache, "busy", left, 0)
      yield* withLock(lockOf(busy), { timeoutMs: 1000 })(
        Effect.map(sweepRepositories(cache), (freed) => assert.isAbove(freed, 0))
      )
      for (const name of Object.keys(left)) {
        assert.isFalse(fs.existsSync(path.join(free, name)), name)
        assert.isTrue(fs.existsSync(path.join(busy, name)), name)
      }
      assert.isTrue(fs.existsSync(path.join(free, "HEAD")))
      assert.isTrue(fs.existsSync(path.join(free, "objects/pack/pack-1.pack")))
      assert.strictEqual(yield* sweepRepositories(yield* temporaryDirectory), 0)
    }))

  it.live("fetched repositories are pruned least recently used first, and never those in use", () =>
    Effect.gen(function*() {
      const cache = yield* temporaryDirectory
      const recent = repository(cache, "recent", {}, 0.5)
      const day = repository(cache, "day", {}, 24)
      const week = repository(cache, "week", {}, 168)
      const busy = repository(cache, "busy", {}, 400)
      const there = () => [recent, day, week, busy].map((one) => fs.existsSync(one))
      const keepBytes = bytesBeneath(recent) + bytesBeneath(day)
      yield* withLock(lockOf(busy), { timeoutMs: 1000 })(pruneRepositories(cache, { keepBytes }))
      assert.deepStrictEqual(there(), [true, true, false, true])
      const pruned = yield* pruneRepositories(cache, { keepBytes: 0 })
      assert.isAbove(pruned.freedBytes, 0)
      assert.deepStrictEqual(pruned.removed.toSorted(), ["busy.git", "day.git"])
      assert.deepStrictEqual(there(), [true, false, false, false])
    }))
})
