import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import type { PyroError } from "../../src/contract/errors.ts"
import { DiskListPayload, DiskReadPayload } from "../../src/contract/operations/workspace-disk.ts"
import { listDisk, readDisk } from "../../src/workspace/disk/look.ts"
import type { GuestTree } from "../../src/workspace/files/guest-path.ts"
import { Agent, withConfinedAgent } from "./agent.ts"

/** A directory of the agent that stands for the root of a disk. */
const fresh = Effect.gen(function*() {
  const channel = yield* Agent.connect()
  const { folder } = yield* Agent
  const own = `${folder}/${readdirSync(folder).find((name) => name.startsWith("root-"))}`
  const root = `${own}/inspected`
  yield* Effect.acquireRelease(
    Effect.sync(() => mkdirSync(root)),
    () => Effect.sync(() => rmSync(root, { recursive: true, force: true }))
  )
  const tree: GuestTree = { root: "/inspected", shown: "/" }
  const decoded = <A, I>(schema: Schema.Schema<A, I>, fields: object) =>
    Schema.decodeUnknownSync(schema)({ workspace: "test", ...fields })
  return {
    root,
    list: (fields: object = {}) => listDisk(channel, tree, decoded(DiskListPayload(), fields)),
    read: (path: string, fields: object = {}) =>
      readDisk(channel, tree, decoded(DiskReadPayload(), { path, ...fields }))
  }
})

const reasonOf = <A>(effect: Effect.Effect<A, PyroError>) =>
  Effect.map(Effect.flip(effect), (failure) => failure._tag === "FileRefused" ? failure.reason : failure._tag)

withConfinedAgent("files of an inspected disk", (it) => {
  it.scoped("disk list shows absolute paths, and names that are no text in quoted form", () =>
    Effect.gen(function*() {
      const { list, root } = yield* fresh
      mkdirSync(`${root}/etc/deep`, { recursive: true })
      writeFileSync(`${root}/etc/hosts`, "localhost\n")
      writeFileSync(Buffer.from(`${root}/\x1b[2Jod\xff\n`, "latin1"), "")
      const top = yield* list()
      assert.deepStrictEqual([top.path, top.entries.map(({ path }) => path)], [
        "/",
        ["\"/\\033[2Jod\\377\\n\"", "/etc"]
      ])
      const inner = yield* list({ path: "etc/", recursive: true })
      assert.deepStrictEqual([inner.path, inner.entries.map(({ path }) => path)], ["/etc", ["/etc/deep", "/etc/hosts"]])
      assert.strictEqual(yield* reasonOf(list({ path: "/nowhere" })), "not_found")
      assert.strictEqual(yield* reasonOf(list({ path: "/../.." })), "outside")
    }))

  it.scoped("disk read follows absolute links beneath the disk's root, also through directories", () =>
    Effect.gen(function*() {
      const { list, read, root } = yield* fresh
      mkdirSync(`${root}/usr/lib`, { recursive: true })
      mkdirSync(`${root}/etc`)
      writeFileSync(`${root}/usr/lib/os-release`, "ID=debian\n")
      writeFileSync(`${root}/etc/passwd`, "the disk's own\n")
      symlinkSync("/usr/lib/os-release", `${root}/etc/os-release`)
      symlinkSync("/usr", `${root}/alias`)
      symlinkSync("../../../../../../etc/passwd", `${root}/usr/lib/up`)
      const found = yield* read("/etc/os-release")
      assert.deepStrictEqual([found.path, found.text, found.binary], ["/usr/lib/os-release", "ID=debian\n", false])
      assert.notProperty(found, "version")
      assert.strictEqual((yield* read("/alias/lib/os-release")).text, "ID=debian\n")
      assert.deepStrictEqual((yield* list({ path: "/alias/lib" })).entries.map(({ path }) => path), [
        "/usr/lib/os-release",
        "/usr/lib/up"
      ])
      // As the workspace's programs see the path: the root's parent is the root.
      assert.strictEqual((yield* read("/usr/lib/up")).text, "the disk's own\n")
    }))

  it.scoped("disk read refuses a loop of absolute links, a directory and a special path", () =>
    Effect.gen(function*() {
      const { read, root } = yield* fresh
      symlinkSync("/b", `${root}/a`)
      symlinkSync("/a", `${root}/b`)
      symlinkSync("/gone", `${root}/dangling`)
      assert.strictEqual(yield* reasonOf(read("/a")), "failed")
      assert.strictEqual(yield* reasonOf(read("/dangling")), "not_found")
      assert.strictEqual(yield* reasonOf(read("/")), "not_a_file")
      assert.strictEqual(yield* reasonOf(read("/a/..")), "not_a_file")
    }))
})
