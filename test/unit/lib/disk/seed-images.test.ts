import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import { linkImage } from "../../../../src/lib/disk/workspace-disk.ts"
import { lapse } from "../../../support/until.ts"
import { debugfs, fsckComplaint } from "./inspect.ts"
import { withSeeds } from "./seeds.ts"
import { temporaryDirectory, temporaryDirectoryIn } from "./temporary-directory.ts"

const sixteenGib = 16 * 1024

/** A tree whose files have been still for long enough that its looks can be trusted. */
const settledTree = (directory: string) => {
  const tree = path.join(directory, "tree")
  fs.mkdirSync(path.join(tree, "src"), { recursive: true })
  fs.writeFileSync(path.join(tree, "src", "main.ts"), "export {}\n")
  fs.writeFileSync(path.join(tree, "README.md"), "# hello\n")
  // Change times cannot be set back: wait until the newest is a second old.
  return Effect.as(lapse(1_100), tree)
}

/** Where the metadata and the first files are. */
const start = (image: string) => {
  const bytes = Buffer.alloc(1 << 20)
  const fd = fs.openSync(image, "r")
  fs.readSync(fd, bytes)
  fs.closeSync(fd)
  return bytes
}

const fromPath = (directory: string, source: string, virtualMib = sixteenGib) =>
  withSeeds(directory, Effect.flatMap(SeedImages, (seeds) => seeds.fromPath({ path: source, virtualMib })))

const empty = (directory: string, virtualMib: number) =>
  withSeeds(directory, Effect.flatMap(SeedImages, (seeds) => seeds.empty(virtualMib)))

describe("seed images", { concurrent: true }, () => {
  it.live("an empty seed image is sound, sparse, read-only and made once", () =>
    Effect.gen(function*() {
      const cache = yield* temporaryDirectory
      const image = yield* empty(cache, sixteenGib)
      assert.strictEqual(fsckComplaint(image.path), "")
      const stat = fs.statSync(image.path)
      assert.strictEqual(stat.size, sixteenGib * 1024 * 1024)
      assert.isBelow(stat.blocks * 512, 5 * 1024 * 1024)
      assert.strictEqual(stat.mode & 0o777, 0o444)
      assert.match(debugfs(image.path, "ls /"), /upper.*work.*workspace/s)
      const again = yield* empty(cache, sixteenGib)
      assert.deepStrictEqual(again, image)
      assert.strictEqual(fs.statSync(again.path).ino, stat.ino)
    }))

  it.live("two caches get the same bytes for the same content, and other bytes for another size", () =>
    Effect.gen(function*() {
      const one = yield* empty(yield* temporaryDirectory, 64)
      const other = yield* empty(yield* temporaryDirectory, 64)
      const larger = yield* empty(yield* temporaryDirectory, 65)
      assert.strictEqual(other.digest, one.digest)
      assert.isTrue(fs.readFileSync(other.path).equals(fs.readFileSync(one.path)))
      assert.notStrictEqual(larger.digest, one.digest)
    }))

  for (const virtualMib of [16, 17, 63, 128, 129, 1000, 4096, 1024 * 1024]) {
    it.live(`an empty seed image of ${virtualMib} MiB is sound`, () =>
      Effect.gen(function*() {
        const image = yield* empty(yield* temporaryDirectory, virtualMib)
        assert.strictEqual(fsckComplaint(image.path), "")
      }))
  }

  it.live("a seed reads an unchanged directory once, and a changed one again", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const tree = yield* settledTree(directory)
      const first = yield* fromPath(directory, tree)
      assert.strictEqual(first.report.files, 2)
      // Proof that nothing is read: the tool that would read it is not there.
      const copies = fs.readdirSync(path.join(directory, "seeds")).length
      const second = yield* fromPath(directory, tree)
      assert.deepStrictEqual(second, first)
      assert.strictEqual(fs.readdirSync(path.join(directory, "seeds")).length, copies)
      const before = fs.statSync(path.join(tree, "README.md"))
      fs.writeFileSync(path.join(tree, "README.md"), "# HELLO\n")
      fs.utimesSync(path.join(tree, "README.md"), before.atime, before.mtime) // same size, same mtime: only ctime tells
      const third = yield* fromPath(directory, tree)
      assert.notStrictEqual(third.image.digest, first.image.digest)
      assert.include(debugfs(third.image.path, "cat /workspace/README.md"), "HELLO")
    }))

  it.live("a seed reads a directory again that changed a moment before the last seed", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const tree = path.join(directory, "tree")
      fs.mkdirSync(tree)
      fs.writeFileSync(path.join(tree, "file"), "one")
      yield* fromPath(directory, tree)
      assert.deepStrictEqual(fs.readdirSync(path.join(directory, "seeds", "sources")), [])
    }))

  it.live("a damaged, truncated or missing seed image is made again", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const tree = yield* settledTree(directory)
      const { image } = yield* fromPath(directory, tree)
      const whole = start(image.path)
      const damages: ReadonlyArray<(file: string) => void> = [
        (file) => {
          fs.chmodSync(file, 0o600)
          const fd = fs.openSync(file, "r+")
          fs.writeSync(fd, Buffer.alloc(4096, 7), 0, 4096, 8192)
          fs.closeSync(fd)
        },
        (file) => {
          fs.chmodSync(file, 0o600)
          fs.truncateSync(file, 4096)
        },
        (file) => fs.rmSync(file)
      ]
      for (const damage of damages) {
        damage(image.path)
        const again = yield* fromPath(directory, tree)
        assert.strictEqual(again.image.digest, image.digest)
        assert.strictEqual(again.report.files, 2)
        assert.strictEqual(fsckComplaint(image.path), "")
        assert.isTrue(start(image.path).equals(whole))
      }
    }))

  it.live("twelve concurrent requests all get one sound seed image", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const tree = yield* settledTree(directory)
      const all = yield* Effect.all(Array.from({ length: 12 }, () => fromPath(directory, tree)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(all.map(({ image }) => image.digest)).size, 1)
      const images = fs.readdirSync(path.join(directory, "seeds")).filter((name) => name !== "sources")
      assert.deepStrictEqual(images, [`${all[0]!.image.digest}.ext4`])
      assert.strictEqual(fsckComplaint(all[0]!.image.path), "")
    }))

  it.live("a seed image in use survives its eviction, also on another file system", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const elsewhere = yield* temporaryDirectoryIn("/dev/shm")
      const { image } = yield* fromPath(directory, yield* settledTree(directory))
      const linked = path.join(directory, "seed.ext4")
      const copied = path.join(elsewhere, "seed.ext4")
      yield* linkImage(image.path, linked)
      yield* linkImage(image.path, copied)
      assert.strictEqual(fs.statSync(linked).ino, fs.statSync(image.path).ino)
      assert.isBelow(fs.statSync(copied).blocks * 512, 5 * 1024 * 1024)
      yield* withSeeds(directory, Effect.flatMap(SeedImages, (seeds) => seeds.prune({ keepBytes: 0 })))
      assert.isFalse(fs.existsSync(image.path))
      for (const held of [linked, copied]) {
        assert.strictEqual(fsckComplaint(held), "")
        assert.strictEqual(fs.statSync(held).mode & 0o777, 0o444)
        assert.include(debugfs(held, "cat /workspace/README.md"), "# hello")
      }
      const taken = yield* Effect.flip(linkImage(linked, copied))
      assert.strictEqual(taken._tag, "StateDirectoryUnusable")
      const gone = yield* Effect.flip(linkImage(image.path, `${linked}.2`))
      assert.strictEqual(gone._tag, "ImageDamaged")
    }))

  it.live("pruning removes the least recently used seed images and keeps the rest", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const old = yield* empty(directory, 64)
      const young = yield* empty(directory, 128)
      const hourAgo = new Date(Date.now() - 3_600_000)
      for (const note of fs.readdirSync(path.join(directory, "seeds", "sources"))) {
        fs.utimesSync(path.join(directory, "seeds", "sources", note), hourAgo, hourAgo)
      }
      yield* empty(directory, 128)
      const keepBytes = fs.statSync(young.path).blocks * 512
      const { removed } = yield* withSeeds(
        directory,
        Effect.flatMap(SeedImages, (seeds) => seeds.prune({ keepBytes }))
      )
      // The image's own age counts too, so only the note tells them apart when both are new.
      assert.isTrue(fs.existsSync(young.path))
      assert.deepStrictEqual(removed.map(({ digest }) => digest), [old.digest])
    }))

  it.live("a seed image of an impossible size is refused", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      for (const virtualMib of [0, 1, 15, 1.5, 17_000_000]) {
        assert.strictEqual((yield* Effect.flip(empty(directory, virtualMib)))._tag, "InvalidRequest")
      }
    }))

  it.live("a seed path that is missing or no file is refused by name", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      for (const source of [path.join(directory, "missing"), "/dev/null", "with\0nul"]) {
        const failure = yield* Effect.flip(fromPath(directory, source))
        assert.strictEqual(failure._tag, "SeedRejected")
      }
    }))
})
