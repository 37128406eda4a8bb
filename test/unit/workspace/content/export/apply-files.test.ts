import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { afterAll, beforeAll } from "vitest"
import { applyChanges } from "../../../../../src/system/files/apply.ts"
import { nativeDirectory } from "../../../../../src/system/processes/native.ts"
import { scratch, useSanitizedPut } from "./fake-guest.ts"

let restore = () => {}
beforeAll(() => void (restore = useSanitizedPut()))
afterAll(() => restore())

type Side = NonNullable<Parameters<typeof applyChanges>[0]["changes"][number]["before"]>

/** A side in words: `text`, `*text` for an executable file, `-> target` for a link. */
const side = (text: string | undefined): Side | undefined =>
  text === undefined
    ? undefined
    : text.startsWith("-> ")
    ? { mode: 0o120000, content: Buffer.from(text.slice(3)) }
    : text.startsWith("*")
    ? { mode: 0o100755, content: Buffer.from(text.slice(1)) }
    : { mode: 0o100644, content: Buffer.from(text) }

type Words = readonly [path: string, before: string | undefined, after: string | undefined]

const changesOf = (words: ReadonlyArray<Words>) =>
  words.map(([path, before, after]) => ({
    path: Buffer.from(path, "latin1"),
    before: side(before),
    after: side(after)
  }))

interface Given {
  readonly directory: string
  readonly within?: string
  readonly check?: boolean
  readonly changes: ReadonlyArray<Words>
}

/** Applies changes; `meanwhile` runs when all files were as expected and nothing is changed. */
const apply = ({ changes, check = false, ...place }: Given, meanwhile: () => void = () => {}) =>
  Effect.scoped(Effect.gen(function*() {
    const session = yield* applyChanges({ ...place, check, changes: changesOf(changes) })
    meanwhile()
    yield* session.commit
    return session.there.map((path) => Buffer.from(path).toString())
  }))

/** Paths and reasons of a refusal. */
const refusal = (given: Given, meanwhile?: () => void) =>
  Effect.map(
    Effect.flip(apply(given, meanwhile)),
    (failure) =>
      failure._tag === "PutFailed"
        ? failure.conflicts.map(({ path, reason }) => `${Buffer.from(path).toString()}: ${reason}`)
        : [failure._tag]
  )

const write = (folder: string, tree: Readonly<Record<string, string>>) => {
  for (const [path, text] of Object.entries(tree)) {
    const file = `${folder}/${path}`
    fs.mkdirSync(file.replace(/\/[^/]*$/, ""), { recursive: true })
    if (text === "/") fs.mkdirSync(file)
    else if (text.startsWith("-> ")) fs.symlinkSync(text.slice(3), file)
    else fs.writeFileSync(file, text.replace(/^\*/, ""), { mode: text.startsWith("*") ? 0o755 : 0o644 })
  }
}

/** All below a folder, in the same words. Empty directories are `/`. */
const read = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (fs.readdirSync(folder, { recursive: true }) as Array<string>).sort().flatMap((name) => {
      const file = `${folder}/${name}`
      const status = fs.lstatSync(file)
      if (status.isDirectory()) return fs.readdirSync(file).length === 0 ? [[name, "/"]] : []
      if (status.isSymbolicLink()) return [[name, `-> ${fs.readlinkSync(file)}`]]
      if (!status.isFile()) return [[name, "neither"]]
      return [[name, `${(status.mode & 0o100) === 0 ? "" : "*"}${fs.readFileSync(file, "latin1")}`]]
    })
  )

const before = {
  "a": "old",
  "run": "run",
  "d/gone": "gone",
  "d/e/deep": "deep",
  "l": "-> a",
  "own": "own",
  "f": "file"
}
const changes: ReadonlyArray<Words> = [
  ["a", "old", "new"],
  ["d/e/deep", "deep", undefined],
  ["d/gone", "gone", undefined],
  ["f", "file", undefined],
  ["f/inside/x", undefined, "in place of a file"],
  ["l", "-> a", "-> own"],
  ["n/m/new", undefined, "*new program"],
  ["run", "run", "*run"]
]
const after = {
  "a": "new",
  "f/inside/x": "in place of a file",
  "l": "-> own",
  "n/m/new": "*new program",
  "own": "own",
  "run": "*run"
}

describe("pyro-apply", () => {
  it.live("changes, additions, removals, modes and links get their places, and no empty directory stays", () =>
    Effect.gen(function*() {
      const directory = yield* scratch
      write(directory, before)
      assert.deepStrictEqual(yield* apply({ directory, changes, check: true }), [])
      assert.deepStrictEqual(read(directory), before)
      assert.deepStrictEqual(yield* apply({ directory, changes }), [])
      assert.deepStrictEqual(read(directory), after)
      // Once more: all is there already, and nothing is touched.
      const status = fs.statSync(`${directory}/a`)
      assert.deepStrictEqual(yield* apply({ directory, changes }), changes.map(([path]) => path).sort())
      assert.deepStrictEqual(read(directory), after)
      assert.strictEqual(fs.statSync(`${directory}/a`).ino, status.ino)
    }))

  it.live("a file gets holes in place of pages of zeros", () =>
    Effect.gen(function*() {
      const directory = yield* scratch
      const zeros = "\0".repeat(1_000_001)
      const text = `${zeros}x${zeros}`
      yield* apply({ directory, changes: [["large", undefined, text]] })
      assert.strictEqual(fs.readFileSync(`${directory}/large`, "latin1"), text)
      assert.isAtMost(fs.statSync(`${directory}/large`).blocks * 512, 16_384)
    }))

  it.live("a directory becomes a file or a link only if the changes remove all that it has", () =>
    Effect.gen(function*() {
      for (const text of ["now a file", "-> own"]) {
        const directory = yield* scratch
        const swap: ReadonlyArray<Words> = [["d", undefined, text], ["d/e/deep", "deep", undefined], [
          "d/gone",
          "gone",
          undefined
        ]]
        write(directory, { ...before, "d/own": "own" })
        assert.deepStrictEqual(yield* refusal({ directory, changes: swap }), ["d: a directory is there"])
        fs.rmSync(`${directory}/d/own`)
        fs.mkdirSync(`${directory}/d/empty`)
        assert.deepStrictEqual(yield* refusal({ directory, changes: swap }), ["d: a directory is there"])
        fs.rmdirSync(`${directory}/d/empty`)
        fs.chmodSync(`${directory}/d/e`, 0o750)
        const late = yield* refusal({ directory, changes: swap }, () => fs.writeFileSync(`${directory}/d/late`, "own"))
        assert.deepStrictEqual(late, ["d: a directory with other files is there"])
        assert.deepStrictEqual(read(directory), { ...before, "d/late": "own" })
        assert.strictEqual(fs.statSync(`${directory}/d/e`).mode & 0o777, 0o750, "an emptied directory comes back")
        fs.rmSync(`${directory}/d/late`)
        yield* apply({ directory, changes: swap })
        const { "d/e/deep": _, "d/gone": __, ...rest } = before
        assert.deepStrictEqual(read(directory), { ...rest, d: text })
        assert.strictEqual((yield* apply({ directory, changes: swap })).length, 3, "it is there already")
      }
    }))

  it.live("each file of the person's own that differs refuses everything, and is named", () =>
    Effect.gen(function*() {
      const changed = "it has changed since pyro last read or wrote it"
      const blocked = "a file or a symbolic link is in place of its directory, and is never followed"
      const ways: ReadonlyArray<readonly [string, (at: string) => void, ReadonlyArray<string>]> = [
        ["content", (at) => fs.writeFileSync(`${at}/a`, "OLD"), [`a: ${changed}`]],
        ["size", (at) => fs.appendFileSync(`${at}/a`, "x"), [`a: ${changed}`]],
        ["mode", (at) => fs.chmodSync(`${at}/a`, 0o755), [`a: ${changed}`]],
        ["gone", (at) => fs.rmSync(`${at}/a`), ["a: it is gone"]],
        ["link", (at) => (fs.rmSync(`${at}/a`), fs.symlinkSync("own", `${at}/a`)), [`a: ${changed}`]],
        ["another link", (at) => (fs.rmSync(`${at}/l`), fs.symlinkSync("f", `${at}/l`)), [`l: ${changed}`]],
        ["directory", (at) => (fs.rmSync(`${at}/a`), fs.mkdirSync(`${at}/a`)), ["a: a directory is there"]],
        ["pipe", (at) => (fs.rmSync(`${at}/a`), void spawnSync("mkfifo", [`${at}/a`])), [
          "a: a device, a pipe or a socket is there, and is never replaced"
        ]],
        ["added", (at) => write(at, { "n/m/new": "mine" }), ["n/m/new: it is there already"]],
        ["removed", (at) => fs.writeFileSync(`${at}/d/gone`, "mine"), [`d/gone: ${changed}`]],
        ["in the way", (at) => fs.writeFileSync(`${at}/n`, "mine"), [`n/m/new: ${blocked}`]],
        ["through a link", (at) => fs.symlinkSync("d", `${at}/n`), [`n/m/new: ${blocked}`]],
        ["removal through a link", (at) => (fs.renameSync(`${at}/d`, `${at}/o`), fs.symlinkSync("o", `${at}/d`)), [
          `d/e/deep: ${blocked}`,
          `d/gone: ${blocked}`
        ]]
      ]
      for (const [what, way, reasons] of ways) {
        const directory = yield* scratch
        write(directory, before)
        way(directory)
        const left = read(directory)
        assert.deepStrictEqual(yield* refusal({ directory, changes }), reasons, what)
        assert.deepStrictEqual(yield* refusal({ directory, changes, check: true }), reasons, what)
        assert.deepStrictEqual(read(directory), left, what)
        // The same between the comparison and the first rename.
        fs.rmSync(directory, { recursive: true })
        write(directory, before)
        yield* Effect.flip(apply({ directory, changes }, () => way(directory)))
        assert.deepStrictEqual(read(directory), left, `${what}, late`)
      }
    }))

  it.live("a refusal names the first 20 files, and counts all", () =>
    Effect.gen(function*() {
      const directory = yield* scratch
      const many = Array.from({ length: 30 }, (_, i): Words => [`f${100 + i}`, undefined, "new"])
      write(directory, Object.fromEntries(many.map(([path]) => [path, "mine"])))
      const failure = yield* Effect.flip(apply({ directory, changes: many }))
      assert.strictEqual(failure._tag === "PutFailed" ? failure.conflicts.length : 0, 20)
      assert.strictEqual(failure._tag === "PutFailed" ? failure.detail : "", "30 paths")
    }))

  it.live("a replaced file keeps the permissions of the person's own, but for execution", () =>
    Effect.gen(function*() {
      const directory = yield* scratch
      write(directory, { a: "old", b: "*old", c: "old" })
      fs.chmodSync(`${directory}/a`, 0o600)
      fs.chmodSync(`${directory}/b`, 0o770)
      fs.chmodSync(`${directory}/c`, 0o640)
      yield* apply({ directory, changes: [["a", "old", "new"], ["b", "*old", "*new"], ["c", "old", "*new"]] })
      const modes = ["a", "b", "c"].map((name) => fs.statSync(`${directory}/${name}`).mode & 0o7777)
      assert.deepStrictEqual(modes, [0o600, 0o770, 0o750])
    }))

  it.live(
    "nothing outside of the directory is written while another process swaps directories and links",
    () =>
      Effect.gen(function*() {
        const folder = yield* scratch
        const directory = `${folder}/project`
        const names = Array.from({ length: 100 }, (_, i) => `d/e${1000 + i}/b`)
        const wide = names.map((path): Words => [path, "old", "new"])
        for (const name of names) {
          write(folder, { [`project/${name}`]: "old", [name.replace("d/", "elsewhere/")]: "old" })
        }
        fs.symlinkSync("../elsewhere", `${directory}/link`)
        const untouched = read(`${folder}/elsewhere`)
        const script = `import os,sys
os.chdir(sys.argv[1]); print("on", flush=True)
while True:
    try: os.rename("d","aside"); os.rename("link","d"); os.rename("d","link"); os.rename("aside","d")
    except OSError: pass`
        yield* Effect.acquireRelease(
          Effect.callback<ReturnType<typeof spawn>>((resume) => {
            const swapping = spawn("python3", ["-c", script, directory], { stdio: ["ignore", "pipe", "inherit"] })
            swapping.stdout.once("data", () => resume(Effect.succeed(swapping)))
          }),
          (swapping) =>
            Effect.callback<void>((resume) => {
              if (swapping.exitCode !== null) return resume(Effect.void)
              swapping.once("exit", () => resume(Effect.void))
              swapping.kill("SIGKILL")
            })
        )
        for (let round = 0; round < 15; round++) {
          yield* Effect.exit(apply({ directory, changes: wide }))
          assert.deepStrictEqual(read(`${folder}/elsewhere`), untouched, String(round))
        }
      }),
    60_000
  )

  it.live("the directory itself is never reached through a link", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      write(folder, { "project/a": "old", link: "-> project" })
      const one: ReadonlyArray<Words> = [["a", "old", "new"]]
      for (
        const place of [{ directory: `${folder}/link` }, { directory: "link", within: folder }, {
          directory: "../project",
          within: `${folder}/link`
        }]
      ) {
        const failure = yield* Effect.flip(apply({ ...place, changes: one }))
        assert.strictEqual(failure._tag === "PutFailed" ? failure.reason : "", "failed")
      }
      assert.deepStrictEqual(read(`${folder}/project`), { a: "old" })
      yield* apply({ directory: "project", within: folder, changes: one })
      assert.deepStrictEqual(read(`${folder}/project`), { a: "new" })
    }))
})

/** The bytes of changes as pyro-apply reads them. */
const inputOf = (words: ReadonlyArray<Words>) => {
  const number = (bytes: number, value: number) => {
    const field = Buffer.alloc(bytes)
    field.writeUInt32BE(value, bytes - 4)
    return field
  }
  const letter = (text: string | undefined) =>
    text === undefined ? "-" : text.startsWith("-> ") ? "l" : text.startsWith("*") ? "x" : "f"
  const content = (text: string | undefined) => side(text)?.content ?? Buffer.alloc(0)
  return Buffer.concat([
    ...words.flatMap(([path, ...sides]) => [
      Buffer.from("c"),
      number(4, path.length),
      Buffer.from(path, "latin1"),
      ...sides.flatMap((text) => [Buffer.from(letter(text)), number(8, content(text).length)])
    ]),
    Buffer.from("e"),
    ...words.flatMap(([, ...sides]) => sides.map(content)),
    Buffer.from("c")
  ])
}

describe("pyro-apply as a program", () => {
  const run = (directory: string, input: Uint8Array) =>
    spawnSync(`${nativeDirectory()}/pyro-apply`, [directory], { input })

  it.live("an end of the input at any byte changes nothing and leaves nothing", () =>
    Effect.gen(function*() {
      const directory = yield* scratch
      write(directory, before)
      const input = inputOf(changes)
      for (let end = 0; end < input.length; end += 11) {
        assert.strictEqual(run(directory, input.subarray(0, end)).status, 5, String(end))
        assert.deepStrictEqual(read(directory), before, String(end))
      }
      assert.strictEqual(run(directory, input).status, 0)
      assert.deepStrictEqual(read(directory), after)
    }), 60_000)

  it.live("a list that leads elsewhere, or has too much content, is refused", () =>
    Effect.gen(function*() {
      const directory = yield* scratch
      for (const path of ["", "..", "../x", "/x", "a/../x", ".", "a//b", "a\0b", "x".repeat(256)]) {
        assert.strictEqual(run(directory, inputOf([[path, undefined, "x"]])).status, 6, JSON.stringify(path))
      }
      assert.strictEqual(run(directory, inputOf([["x", undefined, undefined]])).status, 6)
      assert.strictEqual(run(directory, inputOf([["x", undefined, "-> "]])).status, 6)
      const more = Buffer.concat([inputOf([["x", undefined, "x"]]).subarray(0, -1), Buffer.from("yc")])
      assert.strictEqual(run(directory, more).status, 6)
      assert.strictEqual(run(directory, inputOf([["x", undefined, "x"], ["x", undefined, "y"]])).status, 4)
      const head = inputOf([["x", undefined, "x"]])
      head.writeUInt32BE(0x0fff_ffff, 1 + 4 + 1 + 9 + 1) // the first half of the new size
      assert.strictEqual(run(directory, head).status, 3, "no disk has room for it")
      assert.deepStrictEqual(read(directory), {})
    }))

  it.live("a directory that cannot be written refuses before the first rename", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const directory = `${folder}/project`
      write(directory, before)
      // Root may write everywhere, so another user runs the program, from where that user may.
      const as = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
      if ("uid" in as) spawnSync("chown", ["-R", "65534:65534", directory])
      fs.chmodSync(folder, 0o755)
      fs.copyFileSync(`${nativeDirectory()}/pyro-apply`, `${folder}/program`)
      const apply = () => spawnSync(`${folder}/program`, [directory], { input: inputOf(changes), ...as })
      fs.chmodSync(`${directory}/d`, 0o555)
      const { status, stdout } = apply()
      assert.strictEqual(status, 4)
      assert.include(stdout.toString(), "d/gone\0its directory cannot be written")
      fs.chmodSync(directory, 0o555)
      assert.include(apply().stdout.toString(), "cannot write in the directory")
      fs.chmodSync(directory, 0o755)
      fs.chmodSync(`${directory}/d`, 0o755)
      assert.deepStrictEqual(read(directory), before)
      assert.strictEqual(apply().status, 0)
      assert.deepStrictEqual(read(directory), after)
    }))
})
