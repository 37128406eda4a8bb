import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { imageStore } from "../../../../src/lib/environment/image/store.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"

const images = path.join(import.meta.dirname, "../../../fixtures/records/0.1.0/state/environments/images")

it.live("the name and the manifest of an image of 0.1.0 are read", () =>
  Effect.gen(function*() {
    const root = yield* temporaryDirectory
    fs.cpSync(images, root, { recursive: true })
    const digest = fs.readdirSync(root).find((name) => name.length === 64)!
    const file = path.join(root, digest, "manifest.json")
    const stored = JSON.parse(fs.readFileSync(file, "utf8")) as { readonly image: object }
    // A file with the size, the time and the inode that the manifest has: the content is 300 MiB.
    const image = path.join(root, digest, "root.erofs")
    fs.writeFileSync(image, "")
    const { ino, mtimeMs, size } = fs.statSync(image)
    fs.writeFileSync(
      file,
      JSON.stringify({ ...stored, image: { ...stored.image, sizeBytes: size, mtimeMs, inode: ino } })
    )
    const store = imageStore(root)
    const found = Option.getOrThrow(yield* store.find("own", { thorough: false }))
    assert.deepInclude(found.manifest, { name: "own", recipe: "workspace", digest })
    assert.deepStrictEqual((yield* store.packagesIn(digest)).map(({ name }) => name), ["adduser", "apt", "base-files"])
  }).pipe(Effect.scoped))
