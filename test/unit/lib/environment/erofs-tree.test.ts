import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { recipeFolder } from "../../../../src/lib/environment/model/rootfs.ts"
import { asNamespaceRoot } from "../../../../src/system/processes/child.ts"
import { nativeDirectory } from "../../../../src/system/processes/native.ts"
import { devices, everyKind, type Metadata, metadataProgram } from "../../../support/files/tree-metadata.ts"
import { scratch } from "./scratch.ts"

const program = path.join(nativeDirectory(), "pyro-erofs-sanitized")
/** The search for leaks needs a /proc of the namespace. */
const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }
const isRoot = process.getuid!() === 0

const inNamespace = (cwd: string, script: string, ...words: ReadonlyArray<string>) => {
  const [command, ...args] = asNamespaceRoot(["bash", "-euc", script, "bash", ...words])
  return execFileSync(command, args, { cwd, encoding: "utf8", env, maxBuffer: 1 << 26 })
}

/** An image of a small tree. Returns its path. */
const imageIn = (folder: string, script: string) => {
  fs.mkdirSync(path.join(folder, "tree"))
  execFileSync("bash", ["-euc", script], { cwd: path.join(folder, "tree") })
  const image = path.join(folder, "image")
  execFileSync("mkfs.erofs", ["--quiet", "--all-root", image, "tree"], { cwd: folder })
  return image
}

const extracted = (folder: string, image: string) => {
  const out = path.join(folder, "out")
  fs.mkdirSync(out)
  const [command, ...args] = asNamespaceRoot([program, image, out])
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8", env })
  return { status, stderr, names: fs.readdirSync(out).sort() }
}

/** Offset of a file's inode in an image. */
const inodeOf = (image: string, file: string) => {
  const text = execFileSync("dump.erofs", [`--path=${file}`, image], { encoding: "utf8" })
  return Number(/NID: (\d+)/.exec(text)?.[1]) * 32
}

describe("pyro-erofs", () => {
  it.live("the tree of an image has all metadata of the tree that the image was made of", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const script = `mkdir before after; (cd before; ${everyKind} ${isRoot ? devices : ""})
        mkfs.erofs --quiet image before >&2; "$1" image after
        for tree in before after; do python3 -c "$2" $tree; done; rm -rf before after`
      const [before, after] = inNamespace(folder, script, program, metadataProgram).trim().split("\n")
        .map((line) => JSON.parse(line) as Metadata)
      assert.isAbove(Object.keys(before!).length, 740)
      assert.deepStrictEqual(after, before)
    }))

  it.live("packages of npm over an image leave all metadata of its other files as it was", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const script = `mkdir -p before/usr/local/bin npm/bin npm/lib/node_modules/tool after
        (cd before; ${everyKind} ${isRoot ? devices : ""}); touch before; mkfs.erofs --quiet base.erofs before >&2
        echo run >npm/lib/node_modules/tool/run; ln -s ../lib/node_modules/tool/run npm/bin/tool
        PYRO_EROFS=$1 bash "$2" >&2; "$1" root.erofs after
        for tree in before after; do python3 -c "$3" $tree $tree/usr/local; done; rm -rf before after npm root`
      const recipe = path.join(recipeFolder("environment"), "add-npm.sh")
      const [before, after] = inNamespace(folder, script, program, recipe, metadataProgram).trim().split("\n")
        .map((line) => JSON.parse(line) as Metadata)
      assert.deepStrictEqual(after, before)
    }))

  it.live("an image that leads out of itself, in circles or to more than it has is refused", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const image = imageIn(folder, "mkdir -p one/two; echo text >file; echo other >one/two/gile")
      const whole = fs.readFileSync(image)
      const file = inodeOf(image, "/file")
      const two = inodeOf(image, "/one/two")
      /** Where a name stands in its directory, and the numbers of its entry. */
      const nameAt = whole.indexOf("gile")
      const entry = (number: number) => {
        const wanted = Buffer.alloc(8)
        wanted.writeBigUInt64LE(BigInt(number / 32))
        return wanted
      }
      const broken: ReadonlyArray<readonly [string, (bytes: Buffer) => unknown, RegExp]> = [
        ["a name with a slash", (bytes) => bytes.write("../x", nameAt), /without a valid name/],
        ["a name without letters", (bytes) => bytes.fill(0, nameAt, nameAt + 4), /without a valid name/],
        ["a file beyond the image", (bytes) => bytes.writeUInt32LE(0xfffff000, file + 8), /beyond the end/],
        ["a compressed file", (bytes) => bytes.writeUInt16LE(bytes.readUInt16LE(file) | 6, file), /compressed/],
        ["attributes beyond the image", (bytes) => bytes.writeUInt16LE(0xffff, file + 2), /beyond the end/],
        [
          "a directory in itself",
          (bytes) => entry(two).copy(bytes, bytes.indexOf(entry(inodeOf(image, "/one/two/gile")), two)),
          /with two names/
        ],
        ["another form", (bytes) => bytes.writeUInt32LE(0x40, 1024 + 80), /a form that pyro does not write/],
        ["no image", (bytes) => bytes.writeUInt32LE(0, 1024), /no EROFS image/]
      ]
      for (const [what, change, said] of broken) {
        const bytes = Buffer.from(whole)
        change(bytes)
        const here = path.join(folder, what)
        fs.mkdirSync(here)
        fs.writeFileSync(path.join(here, "image"), bytes)
        const { status, stderr } = extracted(here, path.join(here, "image"))
        assert.strictEqual(status, 1, `${what}: ${stderr}`)
        assert.match(stderr, said, what)
      }
      assert.deepStrictEqual(extracted(folder, image), { status: 0, stderr: "", names: ["file", "one"] })
    }))
})
