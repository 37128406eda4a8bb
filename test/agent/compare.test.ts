import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as FastCheck from "fast-check"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { baselineRoot } from "../../src/lib/guest-channel/model/calls.ts"
import { EFBIG, EINVAL, ELOOP, ENOENT, EXDEV } from "../../src/lib/guest-channel/model/errors.ts"
import type { Difference } from "../../src/lib/guest-channel/model/files.ts"
import { Agent, withAgent } from "./agent.ts"

const differences = (channel: GuestChannel, request: Parameters<GuestChannel["compare"]>[0]) =>
  Stream.runCollect(channel.compare(request))

const sideText = (side: Difference["old"]) =>
  side === undefined
    ? "-"
    : side.type === "symlink"
    ? `->${Buffer.from(side.linkTarget).toString("latin1")}`
    : side.type === "directory"
    ? "d"
    : `${side.type[0]}${side.mode.toString(8)}:${side.size}`
const texts = (found: ReadonlyArray<Difference>) =>
  found.map(({ new: after, old, path }) =>
    `${Buffer.from(path).toString("latin1")} ${sideText(old)} ${sideText(after)}`
  )

/** Two trees, the second a copy of the first by hard links: inode and times are the same, as in a fresh workspace. */
const trees = (name: string, fill: (old: string) => void) =>
  Effect.map(Agent, ({ folder }) => {
    const root = `${folder}/${name}`
    fs.mkdirSync(`${root}/old`, { recursive: true })
    fill(`${root}/old`)
    execFileSync("cp", ["-al", `${root}/old`, `${root}/new`])
    return { root, old: `${root}/old`, new: `${root}/new` }
  })

/** Takes the place of a file, so that its other names keep their content. */
const replace = (path: string, content: string | Buffer, mode = 0o644) => {
  fs.rmSync(path)
  fs.writeFileSync(path, content)
  fs.chmodSync(path, mode)
}

withAgent("two trees", (it) => {
  it.effect("the agent compares trees entry by entry and reports differences only", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const odd = Buffer.from("od\xffd\n", "latin1")
      const { new: after, old, root } = yield* trees("entries", (old) => {
        for (const name of ["same", "mode", "edited", "touched", "longer", "gone", "to-link", "to-directory"]) {
          fs.writeFileSync(`${old}/${name}`, name)
        }
        fs.mkdirSync(`${old}/d/e`, { recursive: true })
        fs.writeFileSync(`${old}/d/e/deep`, "x")
        fs.mkdirSync(`${old}/was-directory`)
        fs.writeFileSync(`${old}/was-directory/inside`, "x")
        fs.symlinkSync("same", `${old}/link`)
        fs.symlinkSync("same", `${old}/link-kept`)
        for (const git of [`${old}/.git`, `${old}/d/.GIT`]) {
          fs.mkdirSync(git)
          fs.writeFileSync(`${git}/config`, "old")
        }
      })
      replace(`${after}/edited`, "EDITED")
      replace(`${after}/touched`, "touched")
      replace(`${after}/longer`, "longer than before")
      replace(`${after}/mode`, "mode", 0o755)
      replace(`${after}/d/e/deep`, "y")
      replace(`${after}/.git/config`, "new")
      replace(`${after}/d/.GIT/config`, "new")
      fs.rmSync(`${after}/gone`)
      fs.rmSync(`${after}/to-link`)
      fs.symlinkSync("same", `${after}/to-link`)
      fs.rmSync(`${after}/to-directory`)
      fs.mkdirSync(`${after}/to-directory`)
      fs.writeFileSync(`${after}/to-directory/inside`, "x")
      fs.rmSync(`${after}/was-directory`, { recursive: true })
      fs.writeFileSync(`${after}/was-directory`, "now a file")
      fs.rmSync(`${after}/link`)
      fs.symlinkSync("elsewhere", `${after}/link`)
      fs.writeFileSync(Buffer.concat([Buffer.from(`${after}/`), odd]), "")
      execFileSync("mkfifo", [`${after}/pipe`])
      const expected = [
        "d/e/deep f644:1 f644:1",
        "edited f644:6 f644:6",
        "gone f644:4 -",
        "link ->same ->elsewhere",
        "longer f644:6 f644:18",
        "mode f644:4 f755:4",
        "od\xffd\n - f644:0",
        "pipe - f644:0",
        "to-directory f644:12 d",
        "to-directory/inside - f644:1",
        "to-link f644:7 ->same",
        "was-directory d f644:10",
        "was-directory/inside f644:1 -"
      ]
      for (const content of [false, true]) {
        const sides = { old: { root, path: "old" }, new: { root, path: "new" }, content }
        assert.deepStrictEqual(texts(yield* differences(channel, { ...sides, skip: ".git" })), expected)
        assert.deepStrictEqual(texts(yield* differences(channel, sides)), [
          ".git/config f644:3 f644:3",
          "d/.GIT/config f644:3 f644:3",
          ...expected
        ])
      }
      const missing = yield* Effect.flip(
        differences(channel, { old: { root: old, path: "" }, new: { root, path: "nowhere" } })
      )
      assert.include(missing.message, "ENOENT")
    }))

  it.effect("the agent compares large files to their last byte", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const sizes = [0, 1, 65_535, 65_536, 65_537, 1_000_000]
      const { new: after, root } = yield* trees("large", (old) => {
        for (const size of sizes) fs.writeFileSync(`${old}/${size}`, randomBytes(size))
      })
      const compared = differences(channel, { old: { root, path: "old" }, new: { root, path: "new" } })
      for (const size of sizes) replace(`${after}/${size}`, fs.readFileSync(`${after}/${size}`))
      assert.deepStrictEqual(texts(yield* compared), [])
      for (const size of sizes.filter((size) => size > 0)) {
        const content = fs.readFileSync(`${after}/${size}`)
        content[size - 1]! ^= 1
        replace(`${after}/${size}`, content)
      }
      const changed = sizes.filter((size) => size > 0).map((size) => `${size} f644:${size} f644:${size}`).sort()
      assert.deepStrictEqual(texts(yield* compared), changed)
    }))

  /** A directory is a map, a file its content. */
  interface Tree {
    readonly [name: string]: Tree | string
  }
  const write = (path: string, tree: Tree | string) => {
    if (typeof tree === "string") return fs.writeFileSync(path, tree)
    fs.mkdirSync(path)
    for (const [name, inner] of Object.entries(tree)) write(`${path}/${name}`, inner)
  }
  const kind = (tree: Tree | string | undefined) =>
    tree === undefined ? "-" : typeof tree === "string" ? `f644:${tree.length}` : "d"
  const expected = (old: Tree | string | undefined, after: Tree | string | undefined, path: string): Array<string> => {
    const own = kind(old) === "d" && kind(after) === "d" || old === after
      ? []
      : [`${path} ${kind(old)} ${kind(after)}`]
    const inOld: Tree = typeof old === "object" ? old : {}
    const inAfter: Tree = typeof after === "object" ? after : {}
    const names = [...new Set([...Object.keys(inOld), ...Object.keys(inAfter)])].sort()
    return [
      ...path === "" ? [] : own,
      ...names.flatMap((name) => expected(inOld[name], inAfter[name], path === "" ? name : `${path}/${name}`))
    ]
  }
  const { tree: anyTree } = FastCheck.letrec<{ tree: Tree; node: Tree | string }>((tie) => ({
    tree: FastCheck.dictionary(FastCheck.constantFrom("a", "B", "a.", "a-b", "_"), tie("node"), { maxKeys: 4 }),
    node: FastCheck.oneof({ maxDepth: 4 }, FastCheck.constantFrom("", "x", "y", "long"), tie("tree"))
  }))

  it.effect("the agent finds the differences of trees of any shape", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      for (const [at, [old, after]] of FastCheck.sample(FastCheck.tuple(anyTree, anyTree), 150).entries()) {
        const root = `${folder}/shape-${at}`
        fs.mkdirSync(root)
        write(`${root}/old`, old)
        write(`${root}/new`, after)
        const found = yield* differences(channel, { old: { root, path: "old" }, new: { root, path: "new" } })
        assert.deepStrictEqual(texts(found), expected(old, after, ""), JSON.stringify([old, after]))
      }
    }))

  it.effect("the agent compares the baseline with another tree, and reads the baseline", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { new: after, old, root } = yield* trees("baseline", (old) => {
        fs.mkdirSync(`${old}/workspace`)
        fs.writeFileSync(`${old}/workspace/file`, "before")
        fs.symlinkSync("../../new/workspace/file", `${old}/workspace/out`)
      })
      replace(`${after}/workspace/file`, "after")
      const request = {
        old: { root: baselineRoot, path: "workspace" },
        new: { root: after, path: "workspace" }
      }
      const none = yield* Effect.flip(differences(channel, request))
      assert.include(none.message, "ENODEV")
      yield* channel.call.baseline({ device: old })
      assert.deepStrictEqual(texts(yield* differences(channel, request)), ["file f644:6 f644:5"])
      const read = (path: string) =>
        Effect.map(
          Stream.runCollect(channel.read({ root: baselineRoot, path })),
          (pieces) => Buffer.concat(pieces).toString()
        )
      assert.strictEqual(yield* read("workspace/file"), "before")
      assert.include((yield* Effect.flip(read("workspace/out"))).message, "EXDEV")
      // What is mounted first stays when the next cannot be.
      const missing = yield* Effect.flip(channel.call.baseline({ device: `${root}/nowhere` }))
      assert.include(missing.message, "ENOENT")
      assert.strictEqual(yield* read("workspace/file"), "before")
      yield* channel.call.baseline({ device: "" })
      assert.include((yield* Effect.flip(read("workspace/file"))).message, "ENODEV")
    }))

  it.effect("the agent reads many files per request", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const root = `${folder}/many`
      fs.mkdirSync(`${root}/d`, { recursive: true })
      const contents = Array.from({ length: 300 }, (_, i) => randomBytes(i * 997))
      contents.forEach((content, i) => fs.writeFileSync(`${root}/${i}`, content))
      fs.symlinkSync("1", `${root}/link`)
      fs.symlinkSync("..", `${root}/d/up`)
      const read = (paths: ReadonlyArray<string>, limit: number) =>
        Stream.runCollect(channel.readMany({ root, paths, limit }))
      const all = yield* read(contents.map((_, i) => `${i}`), 1_000_000)
      assert.lengthOf(all, 300)
      for (const [i, { content, errno, size }] of all.entries()) {
        assert.strictEqual(errno, 0)
        assert.strictEqual(size, contents[i]!.length)
        assert.isTrue(contents[i]!.equals(content), `${i}`)
      }
      const odd = yield* read(["missing", "1", "link", "d", "d/up/1", "3", "../many/1", "0"], 997 * 2)
      assert.deepStrictEqual(odd.map(({ errno, size }) => [errno, size]), [
        [ENOENT, 0],
        [0, 997],
        [ELOOP, 0],
        [EINVAL, 0],
        [ELOOP, 0],
        [EFBIG, 3 * 997],
        [EXDEV, 0],
        [0, 0]
      ])
      assert.deepStrictEqual(yield* read([], 10), [])
    }))
})
