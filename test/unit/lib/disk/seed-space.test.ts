import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import { nativeDirectory } from "../../../../src/system/processes/native.ts"
import { lapse } from "../../../support/until.ts"
import { fsckComplaint } from "./inspect.ts"
import { withSeeds } from "./seeds.ts"
import { rawTar } from "./tar-bytes.ts"
import { smallFileSystem, temporaryDirectory } from "./temporary-directory.ts"

const mib = 1024 * 1024
const isRoot = process.getuid?.() === 0
const ifRoot = isRoot ? "" : " (skipped: only root can mount a small file system to fill)"

const seed = (cacheDir: string, source: string, virtualMib: number) =>
  withSeeds(cacheDir, Effect.flatMap(SeedImages, (seeds) => seeds.fromPath({ path: source, virtualMib })))

const leftBehind = (cacheDir: string) => [
  ...fs.readdirSync(path.join(cacheDir, "seeds")).filter((name) => name !== "sources"),
  ...fs.readdirSync(path.join(cacheDir, "seeds", "sources"))
]

const treeOf = (directory: string, sizesMib: ReadonlyArray<number>) => {
  const tree = path.join(directory, "tree")
  fs.mkdirSync(tree)
  sizesMib.forEach((size, index) => fs.writeFileSync(path.join(tree, `f${index}`), randomBytes(size * mib)))
  return tree
}

describe("room for seed images", () => {
  it.live("a directory that is larger than the disk is refused before the seed writes", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const failure = yield* Effect.flip(seed(directory, treeOf(directory, [20, 20]), 32))
      if (failure._tag !== "NoSpace") return assert.fail(failure.message)
      assert.strictEqual(failure.where, "workspace disk")
      assert.strictEqual(failure.neededMib, 40)
      assert.isBelow(failure.availableMib, 32)
      assert.deepStrictEqual(leftBehind(directory), [])
    }))

  it.live("an archive that is larger than the disk is refused at the first entry that does not fit", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const archive = path.join(directory, "archive")
      fs.writeFileSync(
        archive,
        rawTar(...[1, 2, 3].map((name) => ({ name: `${name}`, content: randomBytes(10 * mib) })))
      )
      const failure = yield* Effect.flip(seed(directory, archive, 32))
      assert.strictEqual(failure._tag, "NoSpace")
      assert.deepStrictEqual(leftBehind(directory), [])
    }))

  it.live("a seed with more files than the disk has inodes is refused with the limit", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const tree = path.join(directory, "tree")
      fs.mkdirSync(tree)
      for (let index = 0; index < 1100; index++) fs.writeFileSync(path.join(tree, `f${index}`), "")
      const failure = yield* Effect.flip(seed(directory, tree, 16))
      assert.include(failure.message, "more than 1011 files")
      assert.deepStrictEqual(leftBehind(directory), [])
      fs.readdirSync(tree).slice(0, 1100 - 1011).forEach((name) => fs.rmSync(path.join(tree, name)))
      const { image, report } = yield* seed(directory, tree, 16)
      assert.strictEqual(report.files, 1011)
      assert.strictEqual(fsckComplaint(image.path), "")
    }))

  it.live("a seed that just fits, or just does not, gives a sound image or an error", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const tree = treeOf(directory, [])
      const outcomes = new Set<string>()
      for (let kib = 10_000; kib < 12_800; kib += 233) {
        fs.writeFileSync(path.join(tree, "file"), randomBytes(kib * 1024))
        const result = yield* Effect.result(seed(directory, tree, 16))
        outcomes.add(result._tag)
        if (result._tag === "Failure") {
          assert.include(["NoSpace", "SeedRejected"], result.failure._tag, result.failure.message)
        } else assert.strictEqual(fsckComplaint(result.success.image.path), "")
      }
      assert.deepStrictEqual([...outcomes].sort(), ["Failure", "Success"])
    }))

  it.skipIf(!isRoot)(
    `a seed into a full cache is refused before and during its write, and leaves nothing${ifRoot}`,
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const cache = yield* smallFileSystem(8)
        const before = yield* Effect.flip(seed(cache, treeOf(directory, [6, 6]), 64))
        if (before._tag !== "NoSpace") return assert.fail(before.message)
        assert.strictEqual(before.where, "cache")
        assert.strictEqual(before.neededMib, 12)
        assert.isAtMost(before.availableMib, 8)
        // How much a compressed stream holds is only known at its end.
        const archive = path.join(directory, "archive.gz")
        const members = Array.from({ length: 24 }, (_, index) => ({ name: `f${index}`, content: randomBytes(mib / 2) }))
        fs.writeFileSync(archive, execFileSync("gzip", ["-1"], { input: rawTar(...members), maxBuffer: 64 * mib }))
        const middle = yield* Effect.flip(seed(cache, archive, 64))
        if (middle._tag !== "NoSpace") return assert.fail(middle.message)
        assert.strictEqual(middle.where, "cache")
        assert.isAbove(middle.neededMib, middle.availableMib)
        assert.deepStrictEqual(leftBehind(cache), [])
        assert.isAbove(fs.statfsSync(cache).bavail * fs.statfsSync(cache).bsize, 7 * mib)
      }).pipe(Effect.scoped, Effect.runPromise)
  )

  it.live("an archive whose unpacking program is missing is refused with the package to install", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const archive = path.join(directory, "archive.tar.zst")
      fs.writeFileSync(archive, execFileSync("zstd", ["-q", "-c"], { input: rawTar({ name: "f" }) }))
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const before = process.env["PATH"]
          process.env["PATH"] = directory
          return before
        }),
        (before) => Effect.sync(() => void (process.env["PATH"] = before))
      )
      const failure = yield* Effect.flip(seed(directory, archive, 32))
      if (failure._tag !== "HostToolMissing") return assert.fail(failure.message)
      assert.strictEqual(failure.package, "zstd")
      assert.deepStrictEqual(leftBehind(directory), [])
    }))

  it.live("a seed that is interrupted at any moment leaves nothing, and the next seed works", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const tree = treeOf(directory, [8, 8, 8, 8])
      for (const afterMs of [0, 2, 5, 10, 20, 40]) {
        const fiber = yield* Effect.forkChild(seed(directory, tree, 64))
        yield* lapse(afterMs)
        yield* Fiber.interrupt(fiber)
        assert.isTrue(leftBehind(directory).every((name) => name.endsWith(".ext4")), leftBehind(directory).join())
        for (const name of leftBehind(directory)) {
          assert.strictEqual(fsckComplaint(path.join(directory, "seeds", name)), "")
        }
      }
      const { image } = yield* seed(directory, tree, 64)
      assert.strictEqual(fsckComplaint(image.path), "")
    }))

  it.live("a kill of pyro-seed at any moment leaves no partial image", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const tree = treeOf(directory, [8, 8])
      const into = path.join(directory, "into")
      fs.mkdirSync(into)
      for (const afterMs of [1, 3, 6, 9, 12, 15, 20, 30]) {
        const child = spawn(path.join(nativeDirectory(), "pyro-seed"), [
          ...["--into", into, "--virtual-bytes", String(64 * mib), "--directory", tree]
        ], { stdio: "ignore" })
        const exited = new Promise((resolve) => child.once("exit", resolve))
        yield* lapse(afterMs)
        child.kill("SIGKILL")
        yield* Effect.promise(() => exited)
        for (const name of fs.readdirSync(into)) {
          assert.match(name, /^[0-9a-f]{64}\.ext4$/)
          assert.strictEqual(fsckComplaint(path.join(into, name)), "")
          fs.rmSync(path.join(into, name))
        }
      }
    }))
})
