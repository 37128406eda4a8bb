import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as FastCheck from "fast-check"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { baselineRoot } from "../../src/lib/guest-channel/model/calls.ts"
import { nothingPushed } from "../../src/lib/seeding/model/pushed.ts"
import type { Side } from "../../src/workspace/content/compare/differences.ts"
import { type CompareOptions, differencesOf } from "../../src/workspace/content/compare/differences.ts"
import { wholePatch } from "../support/workspace/whole-patch.ts"
import { Agent, anotherAgent, withAgent } from "./agent.ts"

/** What a step does to a tree: files of a few names and contents, so that two trees often agree. */
const step = FastCheck.record({
  at: FastCheck.constantFrom("a", "b", "d/a", "d/b", "d/e/a", "e/a", "x y", "n\u00e4me"),
  what: FastCheck.constantFrom(
    "write",
    "write",
    "write",
    "binary",
    "link",
    "remove",
    "directory",
    "executable",
    "touch"
  ),
  text: FastCheck.constantFrom("", "1\n", "2\n", "1\n2\n3\n", "1\n2\n4\n", "no end")
})
type Step = typeof step extends FastCheck.Arbitrary<infer A> ? A : never

const act = (tree: string, { at, text, what }: Step) => {
  const file = path.join(tree, at)
  for (let above = path.dirname(file); above.length > tree.length; above = path.dirname(above)) {
    if (fs.lstatSync(above, { throwIfNoEntry: false })?.isDirectory() === false) fs.rmSync(above)
  }
  const there = fs.lstatSync(file, { throwIfNoEntry: false })
  if (what === "touch" || what === "executable") {
    if (there?.isFile() !== true) return
    return what === "touch" ? fs.utimesSync(file, new Date(), new Date()) : fs.chmodSync(file, 0o755)
  }
  fs.rmSync(file, { recursive: true, force: true })
  if (what === "remove") return
  fs.mkdirSync(path.dirname(file), { recursive: true })
  if (what === "directory") fs.mkdirSync(file)
  else if (what === "link") fs.symlinkSync(text.trim() === "" ? "nowhere" : text.trim(), file)
  else fs.writeFileSync(file, what === "binary" ? Buffer.from(`\0${text}`) : text)
}

/** Files and links of a tree. */
const listed = (tree: string, beneath = ""): ReadonlyArray<string> =>
  fs.readdirSync(path.join(tree, beneath), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(beneath, entry.name)
    const file = path.join(tree, name)
    if (entry.isDirectory()) return listed(tree, name)
    if (entry.isSymbolicLink()) return [`${name} -> ${fs.readlinkSync(file)}`]
    return [`${name} ${(fs.statSync(file).mode & 0o100) === 0 ? "-" : "x"} ${fs.readFileSync(file, "latin1")}`]
  }).sort()

/** A beginning and a live tree in the folder of an agent, as one side of a comparison. */
const sideIn = (agent: Agent["Service"], name: string, seed: string) =>
  Effect.gen(function*() {
    const channel = yield* Agent.connect().pipe(Effect.provideService(Agent, agent))
    const home = path.join(agent.folder, name)
    const [baseline, live] = [path.join(home, "disk/workspace"), path.join(home, "live")]
    fs.rmSync(home, { recursive: true, force: true })
    fs.mkdirSync(baseline, { recursive: true })
    const side: Side = {
      channel,
      trees: {
        device: path.join(home, "disk"),
        baseline: { root: baselineRoot, path: "workspace" },
        live: { root: live, path: "" }
      },
      pushed: nothingPushed,
      seed,
      explain: (effect) => effect
    }
    return { home, baseline, live, side, begin: () => execFileSync("cp", ["-a", baseline, live]) }
  })

const agents = Effect.all([Agent, anotherAgent])
type Agents = Effect.Success<typeof agents>

const twoSides = ([one, other]: Agents, seeds: readonly [string, string] = ["one", "one"]) =>
  Effect.gen(function*() {
    const from = yield* sideIn(one, "from", seeds[0])
    const to = yield* sideIn(other, "to", seeds[1])
    const differences = (options: CompareOptions = {}) => differencesOf(from.side, to.side, options)
    /** Applies what was found to the files of the first, which are then those of the second. */
    const check = (how: string, options: CompareOptions = {}) =>
      Effect.gen(function*() {
        const { changes } = yield* differences(options)
        const copy = path.join(from.home, "applied")
        execFileSync("cp", ["-a", from.live, copy])
        const env = { PATH: process.env["PATH"], HOME: copy, GIT_CEILING_DIRECTORIES: from.home }
        const patch = yield* wholePatch(changes)
        if (patch.length > 0) execFileSync("git", ["apply", "--binary", "-"], { cwd: copy, env, input: patch })
        assert.deepStrictEqual(listed(copy), listed(to.live), how)
        fs.rmSync(copy, { recursive: true })
        return changes
      })
    return { from, to, differences, check }
  })

const named = (changes: ReadonlyArray<{ readonly path: Uint8Array }>) =>
  changes.map(({ path }) => Buffer.from(path).toString())

const steps = FastCheck.array(step, { maxLength: 10 })

withAgent("what differs between two trees of different guests", (it) => {
  it.effect("the patch of compare turns one workspace into the other after any changes", () =>
    Effect.gen(function*() {
      const both = yield* agents
      for (const [seed, other, one, two] of FastCheck.sample(FastCheck.tuple(steps, steps, steps, steps), 25)) {
        for (const isShared of [true, false]) {
          yield* Effect.scoped(Effect.gen(function*() {
            const { check, from, to } = yield* twoSides(both, ["one", isShared ? "one" : "two"])
            for (const each of seed) act(from.baseline, each)
            if (isShared) execFileSync("cp", ["-aT", from.baseline, to.baseline])
            else for (const each of other) act(to.baseline, each)
            for (const [side, done] of [[from, one], [to, two]] as const) {
              side.begin()
              for (const each of done) act(side.live, each)
            }
            const how = JSON.stringify({ isShared, seed, other, one, two })
            yield* check(how)
            yield* check(how, { verified: true })
          }))
        }
      }
    }), 120_000)

  it.effect("compare finds no difference between equal large files and reads none that is too large", () =>
    Effect.gen(function*() {
      const { differences, from, to } = yield* twoSides(yield* agents)
      const large = Buffer.alloc(20 * 1024 * 1024, "large\n")
      for (const { begin, live } of [from, to]) {
        begin()
        fs.writeFileSync(`${live}/same`, large)
        fs.writeFileSync(`${live}/other`, live === from.live ? "1" : "2")
      }
      const other = Buffer.from(large)
      other[other.length - 1] = 0
      fs.writeFileSync(`${from.live}/differs`, large)
      fs.writeFileSync(`${to.live}/differs`, other)
      const limits = { fileBytes: 1024 * 1024, totalBytes: 2 * 1024 * 1024 }
      const { changes, oversized } = yield* differences({ limits })
      assert.deepStrictEqual([named(changes), named(oversized)], [["other"], ["differs"]])
      assert.deepStrictEqual(oversized[0]?.old, oversized[0]?.new)
    }))

  it.effect("compare trusts inode and times of common files, unless every content is read", () =>
    Effect.gen(function*() {
      const { differences, from, to } = yield* twoSides(yield* agents)
      from.begin()
      to.begin()
      const large = Buffer.alloc(17 * 1024 * 1024, 1)
      fs.writeFileSync(`${from.live}/file`, large)
      // The same file in both trees, as it is in a copy of a disk.
      fs.linkSync(`${from.live}/file`, `${to.live}/file`)
      const asked: Array<string> = []
      const watched: Side = {
        ...to.side,
        channel: {
          ...to.side.channel,
          read: (request) => {
            asked.push(Buffer.from(request.path).toString())
            return to.side.channel.read(request)
          }
        }
      }
      assert.deepStrictEqual((yield* differencesOf(from.side, watched)).changes, [])
      assert.deepStrictEqual(asked, [])
      assert.deepStrictEqual((yield* differencesOf(from.side, watched, { verified: true })).changes, [])
      assert.deepStrictEqual(asked, ["file"])
      fs.rmSync(`${to.live}/file`)
      fs.writeFileSync(`${to.live}/file`, large.fill(2))
      assert.deepStrictEqual(named((yield* differences()).changes), ["file"])
    }))

  it.effect("compare leaves out ignored files that no side was seeded with, counted once", () =>
    Effect.gen(function*() {
      const { differences, from, to } = yield* twoSides(yield* agents, ["one", "two"])
      fs.writeFileSync(`${from.baseline}/.gitignore`, "*.o\n")
      fs.writeFileSync(`${to.baseline}/.gitignore`, "*.o\n")
      fs.writeFileSync(`${to.baseline}/began.o`, "1\n")
      for (const { begin, live } of [from, to]) {
        begin()
        fs.writeFileSync(`${live}/both.o`, live)
      }
      fs.writeFileSync(`${from.live}/one.o`, "")
      fs.writeFileSync(`${from.live}/began.o`, "2\n")
      const { changes, ignoredCount } = yield* differences()
      assert.deepStrictEqual([named(changes), ignoredCount], [["began.o"], 2])
      const paths = ["both.o", "nosuch", "one.o"].map((name) => Buffer.from(name))
      const { missing } = yield* differences({ paths })
      assert.deepStrictEqual(missing.map(String), ["nosuch"])
      const all = yield* differences({ includeIgnored: true })
      assert.deepStrictEqual([named(all.changes), all.ignoredCount], [["began.o", "both.o", "one.o"], 0])
    }))
})
