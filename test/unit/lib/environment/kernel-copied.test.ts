import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { findKernel } from "../../../../src/lib/environment/kernel/home.ts"
import { kernelFiles } from "../../../../src/lib/environment/kernel/unpack.ts"
import { recipeDigest, recipeFolder } from "../../../../src/lib/environment/model/rootfs.ts"
import { describeFile } from "../../../../src/system/files/digest.ts"
import { scratch } from "./scratch.ts"

/** A kernel of small files, as the cache has it. */
const kernelIn = (root: string) =>
  Effect.gen(function*() {
    const folder = path.join(root, "digest")
    fs.mkdirSync(folder, { recursive: true })
    const files: Record<string, unknown> = {}
    for (const name of kernelFiles) {
      fs.writeFileSync(path.join(folder, name), name)
      files[name] = yield* describeFile(path.join(folder, name))
    }
    const manifest = path.join(folder, "manifest.json")
    const recipe = recipeDigest(recipeFolder("kernel"), [])
    fs.writeFileSync(manifest, JSON.stringify({ format: 2, version: "6.1", package: "linux.deb", recipe, files }))
    fs.writeFileSync(path.join(root, "current.json"), JSON.stringify("digest"))
    return { manifest, file: (name: string) => path.join(folder, name) }
  })

const timesIn = (manifest: string): ReadonlyArray<number> =>
  Object.values(JSON.parse(fs.readFileSync(manifest, "utf8")).files as Record<string, { readonly mtimeMs: number }>)
    .map(({ mtimeMs }) => mtimeMs)

describe("the kernel of a copied cache", () => {
  it.effect("is read once: its manifest has the new times from then on", () =>
    Effect.gen(function*() {
      const root = yield* scratch
      const { file, manifest } = yield* kernelIn(root)
      for (const name of kernelFiles) fs.utimesSync(file(name), 1_000, 1_000)
      assert.isTrue(Option.isSome(yield* findKernel(root)))
      assert.deepStrictEqual(timesIn(manifest), kernelFiles.map(() => 1_000_000))
    }))

  it.effect("is made anew if its content differs, and the manifest stays", () =>
    Effect.gen(function*() {
      const root = yield* scratch
      const { file, manifest } = yield* kernelIn(root)
      const [first] = kernelFiles
      const before = fs.readFileSync(manifest, "utf8")
      fs.writeFileSync(file(first), first.toUpperCase())
      assert.isTrue(Option.isNone(yield* findKernel(root)))
      assert.strictEqual(fs.readFileSync(manifest, "utf8"), before)
    }))
})
