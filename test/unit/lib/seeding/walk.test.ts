import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedRejected } from "../../../../src/contract/errors/errors.ts"
import { type WalkLimits, walkLimits } from "../../../../src/lib/seeding/model/host-files.ts"
import { listHost } from "../../../../src/lib/seeding/sync/host-tree.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { hostServices, names, seeded, write } from "./support.ts"

/** A directory that is in no repository. */
const tree = Effect.map(temporaryDirectory, (folder) => {
  const directory = path.join(folder, "tree")
  write(directory, { "a/file": "1\n", "b": "2\n" })
  return directory
})

const wide = (directory: string, count: number) => {
  for (let at = 0; at < count; at++) fs.writeFileSync(path.join(directory, `f${at}`), "")
}

const deep = (directory: string, levels: number) => {
  fs.mkdirSync(path.join(directory, ...Array.from({ length: levels }, () => "d")), { recursive: true })
}

const limited = (limits: Partial<WalkLimits>) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(walkLimits, (now) => Effect.provideService(effect, walkLimits, { ...now, ...limits }))

const listed = (directory: string) =>
  Effect.scoped(
    Effect.map(listHost(directory, [], ""), ({ files, skipped }) => ({ files: [...files.keys()], skipped }))
  )
    .pipe(
      Effect.provide(hostServices)
    )

const refusal = (directory: string, limits: Partial<WalkLimits>) =>
  Effect.map(Effect.flip(limited(limits)(listed(directory))), (failure) => {
    assert.instanceOf(failure, SeedRejected)
    return failure.message
  })

describe("a directory that git cannot list", () => {
  it.live("a directory without git is listed in order without .git, FIFOs are reported, and links are not followed", () =>
    Effect.gen(function*() {
      const directory = yield* tree
      execFileSync("mkfifo", [path.join(directory, "a", "pipe")])
      fs.symlinkSync("..", path.join(directory, "a", "up"))
      const { files, skipped } = yield* listed(directory)
      assert.deepStrictEqual(files, ["b", "a/file", "a/up"])
      assert.deepStrictEqual(skipped, [{ path: "a/pipe", reason: "it is neither a file nor a symlink" }])
    }))

  it.live("a directory beyond the limit of entries is refused", () =>
    Effect.gen(function*() {
      const directory = yield* tree
      wide(directory, 2_000)
      assert.strictEqual((yield* limited({ entries: 2_003 })(listed(directory))).files.length, 2_002)
      const message = yield* refusal(directory, { entries: 2_002 })
      assert.include(message, "it has more than 2002 files and directories")
    }))

  it.live("a directory beyond the limit of depth is refused", () =>
    Effect.gen(function*() {
      const directory = yield* tree
      deep(directory, 40)
      yield* limited({ depth: 40 })(listed(directory))
      assert.include(yield* refusal(directory, { depth: 39 }), "it has more than 39 directories within each other")
    }))

  it.live("a directory that is deeper than any project is refused by default", () =>
    Effect.gen(function*() {
      const directory = yield* tree
      deep(directory, 600)
      assert.include(yield* refusal(directory, {}), "it has more than 512 directories within each other")
    }))

  it.live("a directory whose listing takes too long is refused", () =>
    Effect.gen(function*() {
      const directory = yield* tree
      deep(directory, 500)
      assert.include(yield* refusal(directory, { deadlineMs: 0 }), "listing its files took longer than 0 s")
    }))

  it.live("a seed whose .git is a FIFO has the files that its ignore rules leave", () =>
    Effect.gen(function*() {
      const directory = yield* tree
      execFileSync("mkfifo", [path.join(directory, ".git")])
      fs.writeFileSync(path.join(directory, ".gitignore"), "b\n")
      const { report, workspace } = yield* seeded({ seedPath: directory })
      assert.deepStrictEqual(report.skipped.map(({ path }) => path), [".git"])
      assert.deepStrictEqual(names(workspace), [".gitignore", "a"])
    }))
})
