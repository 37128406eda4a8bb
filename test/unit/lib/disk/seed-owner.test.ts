import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { type Owner, SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import { nativeDirectory } from "../../../../src/system/processes/native.ts"
import { lapse } from "../../../support/until.ts"
import { debugfs, dump, fsckComplaint, listing } from "./inspect.ts"
import { withSeeds } from "./seeds.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

const agent: Owner = { uid: 1000, gid: 1000 }
/** Ids that need more than 16 bits. */
const far: Owner = { uid: 70_000, gid: 2_000_000_000 }

/** Owner of each entry of a folder of an image, by name; `.` is the folder itself. */
const owners = (image: string, folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    debugfs(image, `ls -p ${folder}`).split("\n").flatMap((line) => {
      const [, , , uid, gid, name] = line.split("/")
      return name === undefined || name === ".." ? [] : [[name, `${uid}:${gid}`]]
    })
  )

const tree = (directory: string) => {
  const root = path.join(directory, "tree")
  fs.mkdirSync(path.join(root, "src"), { recursive: true })
  fs.writeFileSync(path.join(root, "src", "main.ts"), "export {}\n", { mode: 0o755 })
  fs.symlinkSync("src", path.join(root, "link"))
  fs.symlinkSync("x".repeat(100), path.join(root, "long-link"))
  // In more pieces than an inode names.
  const sparse = fs.openSync(path.join(root, "sparse"), "w")
  for (let piece = 0; piece < 20; piece++) fs.writeSync(sparse, Buffer.from("x"), 0, 1, piece * 65_536)
  fs.closeSync(sparse)
  return root
}

const run = <A, E>(cache: string, use: (seeds: SeedImages["Service"]) => Effect.Effect<A, E>) =>
  withSeeds(cache, Effect.flatMap(SeedImages, use))

const virtualMib = 64

describe("the owner of a seed image", { concurrent: true }, () => {
  for (const owner of [agent, far]) {
    it.live(`${owner.uid}:${owner.gid} owns /workspace and everything in it, and nothing else`, () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const source = tree(directory)
        const graft = path.join(directory, "graft")
        fs.mkdirSync(graft)
        fs.writeFileSync(path.join(graft, "HEAD"), "ref: refs/heads/main\n")
        const additions = { key: "1", make: Effect.succeed([{ at: ".git", directory: graft }]) }
        const seeded = (owner: Owner | undefined) =>
          run(directory, (seeds) => seeds.fromPath({ path: source, virtualMib, additions, owner }))
        const { image } = yield* seeded(owner)
        const theirs = `${owner.uid}:${owner.gid}`
        assert.strictEqual(fsckComplaint(image.path), "")
        assert.deepStrictEqual(owners(image.path, "/"), {
          ".": "0:0",
          upper: "0:0",
          work: "0:0",
          workspace: theirs
        })
        const names = [".", ".git", "link", "long-link", "sparse", "src"]
        assert.deepStrictEqual(
          owners(image.path, "/workspace"),
          Object.fromEntries(names.map((name) => [name, theirs]))
        )
        assert.deepStrictEqual(owners(image.path, "/workspace/src"), { ".": theirs, "main.ts": theirs })
        assert.deepStrictEqual(owners(image.path, "/workspace/.git"), { ".": theirs, HEAD: theirs })
        const { image: roots } = yield* seeded(undefined)
        assert.notStrictEqual(roots.digest, image.digest)
        assert.strictEqual(owners(roots.path, "/workspace")["src"], "0:0")
        assert.deepStrictEqual(
          listing(dump(image.path, path.join(directory, "theirs"))),
          listing(dump(roots.path, path.join(directory, "roots")))
        )
      }))
  }

  it.live("each owner of a source gets a seed image of its own", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const source = tree(directory)
      // A source that was changed a moment ago is not remembered.
      yield* lapse(1_100)
      const fromPath = (owner?: Owner) => run(directory, (seeds) => seeds.fromPath({ path: source, virtualMib, owner }))
      const empty = (owner?: Owner) => run(directory, (seeds) => seeds.empty(virtualMib, owner))
      const fromKey = (owner?: Owner) =>
        run(directory, (seeds) =>
          seeds.fromKey({
            key: "commit",
            virtualMib,
            owner,
            make: Effect.sync(() => {
              const archive = path.join(directory, "made.tar")
              spawnSync("tar", ["cf", archive, "-C", source, "."])
              return { archive, grafts: [] }
            })
          }))
      for (const make of [fromPath, fromKey]) {
        const [roots, agents, others] = [yield* make(), yield* make(agent), yield* make(far)].map(({ image }) => image)
        assert.strictEqual(new Set([roots!.digest, agents!.digest, others!.digest]).size, 3)
        assert.strictEqual(owners(agents!.path, "/workspace")["src"], "1000:1000")
        assert.deepStrictEqual((yield* make()).image, roots)
        assert.deepStrictEqual((yield* make(agent)).image, agents)
      }
      const agents = yield* empty(agent)
      assert.strictEqual(fsckComplaint(agents.path), "")
      assert.deepStrictEqual(owners(agents.path, "/workspace"), { ".": "1000:1000" })
      assert.strictEqual(owners((yield* empty()).path, "/")["workspace"], "0:0")
      assert.deepStrictEqual(yield* empty(agent), agents)
    }))

  it.live("the digests of seed images for root stay the same as before images had owners", () =>
    Effect.gen(function*() {
      const { digest } = yield* run(yield* temporaryDirectory, (seeds) => seeds.empty(64))
      assert.strictEqual(digest, "7939b7684339b6fa78aedf2bea7286224e84c107988a0f7c0dcd1f203fe1f6b8")
    }))

  it.live("the owner of a seed image must be two numbers", () =>
    Effect.gen(function*() {
      const into = yield* temporaryDirectory
      const tool = path.join(nativeDirectory(), "pyro-seed")
      for (const owner of ["", "1000", "1000:", ":1000", "-1:0", "agent:agent", "4294967295:0", "1:2:3", "1: 2"]) {
        const args = ["--into", into, "--virtual-bytes", String(64 << 20), "--owner", owner, "--empty"]
        const { status, stdout } = spawnSync(tool, args, { encoding: "utf8" })
        assert.strictEqual(status, 2, owner)
        assert.include(stdout, "--owner must be UID:GID")
      }
      assert.deepStrictEqual(fs.readdirSync(into), [])
    }))
})
