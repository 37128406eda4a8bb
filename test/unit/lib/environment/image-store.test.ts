import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { ImageDamaged } from "../../../../src/contract/errors/errors.ts"
import { imageStore } from "../../../../src/lib/environment/image/store.ts"
import { scratch } from "./scratch.ts"

const cheap = { thorough: false }

/** A store with one small "image" of an environment in it. */
const stored = Effect.gen(function*() {
  const root = yield* scratch
  const store = imageStore(root)
  const add = (name: string, content: string) =>
    Effect.gen(function*() {
      const work = fs.mkdtempSync(path.join(root, "work-"))
      fs.writeFileSync(path.join(work, "image"), content)
      return yield* store.add(work, path.join(work, "image"), {
        name,
        recipe: "r",
        kernelVersion: "6.1",
        kernel: "k",
        sources: [],
        packages: [{ name: "bash", version: "5.2-1" }]
      })
    })
  return { root, store, add, image: yield* add("debian:12", "content") }
})

describe("the store of images", () => {
  it.live("the store finds an added image by name, stored read-only under the hash of its content", () =>
    Effect.gen(function*() {
      const { image, store } = yield* stored
      const found = Option.getOrThrow(yield* store.find("debian:12", { thorough: true }))
      assert.strictEqual(found.path, image.path)
      assert.strictEqual(found.manifest.digest, "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73")
      assert.strictEqual(path.basename(path.dirname(found.path)), found.manifest.digest)
      assert.strictEqual(fs.statSync(found.path).mode & 0o777, 0o444)
      assert.deepStrictEqual(yield* store.packagesIn(found.manifest.digest), [{ name: "bash", version: "5.2-1" }])
      assert.isTrue(Option.isNone(yield* store.find("debian:13", cheap)))
    }))

  it.live("the store accepts a copy of the whole cache", () =>
    Effect.gen(function*() {
      const { root } = yield* stored
      const copy = yield* scratch
      fs.cpSync(root, copy, { recursive: true })
      const store = imageStore(copy)
      const first = Option.getOrThrow(yield* store.find("debian:12", cheap))
      assert.strictEqual(first.manifest.image.inode, fs.statSync(first.path).ino)
      // From now on the cheap check is enough: nothing is written any more.
      const manifest = path.join(path.dirname(first.path), "manifest.json")
      const written = fs.statSync(manifest).ino
      yield* store.find("debian:12", cheap)
      assert.strictEqual(fs.statSync(manifest).ino, written)
      assert.lengthOf(yield* store.packagesIn(first.manifest.digest), 1)
    }))

  it.live("the store reports ImageDamaged if image, manifest or name have changed", () =>
    Effect.gen(function*() {
      const damages: ReadonlyArray<(root: string, image: string) => void> = [
        (_, image) => fs.truncateSync(image, 3),
        (_, image) => fs.rmSync(image),
        (_, image) => fs.rmSync(path.join(path.dirname(image), "manifest.json")),
        (_, image) => fs.truncateSync(path.join(path.dirname(image), "manifest.json"), 50),
        (_, image) => fs.rmSync(path.dirname(image), { recursive: true }),
        (root) => fs.writeFileSync(path.join(root, "names", "debian:12.json"), "{}")
      ]
      for (const damage of damages) {
        const { add, image, root, store } = yield* stored
        fs.chmodSync(image.path, 0o644)
        damage(root, image.path)
        assert.instanceOf(yield* Effect.flip(store.find("debian:12", cheap)), ImageDamaged, String(damage))
        yield* add("debian:12", "content")
        assert.isTrue(Option.isSome(yield* store.find("debian:12", { thorough: true })))
      }
    }))

  it.live("the sweep removes only images that no name refers to", () =>
    Effect.gen(function*() {
      const { add, image, root, store } = yield* stored
      const other = yield* add("debian:13", "other content")
      assert.deepStrictEqual((yield* store.sweep).removed, [])
      yield* add("debian:13", "newer content")
      assert.deepStrictEqual((yield* store.sweep).removed, [other.manifest.digest])
      yield* store.forget("debian:12")
      fs.writeFileSync(path.join(root, "names", "debian:13-base.json"), "not JSON")
      assert.deepStrictEqual((yield* store.sweep).removed, [image.manifest.digest])
      assert.isTrue(Option.isNone(yield* store.find("debian:12", cheap)))
      assert.isTrue(Option.isNone(yield* store.find("debian:13-base", cheap)))
      assert.isTrue(Option.isSome(yield* store.find("debian:13", cheap)))
    }))
})
