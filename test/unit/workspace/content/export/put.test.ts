import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { afterAll, beforeAll } from "vitest"
import { putHere } from "../../../../../src/system/files/put-here.ts"
import { putByProgram } from "../../../../../src/system/files/put-program.ts"
import { encodeEntry, type PutEntry } from "../../../../../src/system/files/put-records.ts"
import type { PutRequest } from "../../../../../src/system/files/put-request.ts"
import { nativeDirectory } from "../../../../../src/system/processes/native.ts"
import { scratch, useSanitizedPut } from "./fake-guest.ts"

let restore = () => {}
beforeAll(() => void (restore = useSanitizedPut()))
afterAll(() => restore())

const of = (type: PutEntry["type"], path: string, more: Partial<PutEntry> = {}): PutEntry => ({
  type,
  path: Buffer.from(path, "latin1"),
  mode: type === "directory" ? 0o755 : 0o644,
  size: type === "file" ? 1000 : 0,
  ...more
})

/** The two writers, with the same cases. Only the program stands in a race with another program that swaps directories and links. */
const writers = [["pyro-put", putByProgram], ["the writer of a computer without pyro-put", putHere]] as const
let put: typeof putByProgram = putByProgram

/** Writes entries, each file with its own path as its content; `meanwhile` runs when all is staged and nothing is placed. */
const write = (
  request: Partial<PutRequest> & Pick<PutRequest, "parent" | "entries">,
  meanwhile: () => void = () => {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const session = yield* put({ name: "out", overwrite: false, ...request })
    for (const { path, type } of request.entries) {
      if (type !== "file") continue
      yield* session.write(path)
      yield* session.endFile
    }
    meanwhile()
    return yield* session.commit
  }))

const tree = [
  of("directory", ""),
  of("directory", "d"),
  of("file", "d/a"),
  of("directory", "d/e"),
  of("file", "d/e/b"),
  of("symlink", "d/l", { target: Buffer.from("a") }),
  of("file", "z")
]

/** Every name below a folder with what it holds. */
const listed = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (fs.readdirSync(folder, { recursive: true }) as Array<string>).sort().map((name) => {
      const status = fs.lstatSync(`${folder}/${name}`)
      const value = status.isSymbolicLink()
        ? `-> ${fs.readlinkSync(`${folder}/${name}`)}`
        : status.isDirectory()
        ? "/"
        : !status.isFile()
        ? "neither"
        : fs.readFileSync(`${folder}/${name}`, "latin1")
      return [name, value]
    })
  )

const whole = { d: "/", "d/a": "d/a", "d/e": "/", "d/e/b": "d/e/b", "d/l": "-> a", z: "z" }

describe.each(writers)("%s", (_, writer) => {
  beforeAll(() => void (put = writer))

  it.live("a file gets holes where zeros are skipped, also at its end", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      const file = yield* put({ parent, name: "out", overwrite: false, entries: [of("file", "", { size: 6 })] })
      yield* file.skip(65_536)
      yield* file.write(Buffer.from("abc"))
      yield* file.skip(1_048_573)
      yield* file.write(Buffer.from("def"))
      yield* file.skip(4_294_967_296)
      yield* file.endFile
      yield* file.commit
      const { blocks, size } = fs.statSync(`${parent}/out`)
      assert.strictEqual(size, 65_536 + 1_048_576 + 3 + 4_294_967_296)
      assert.isBelow(blocks * 512, 65_536)
      const fd = fs.openSync(`${parent}/out`, "r")
      const start = Buffer.alloc(1_114_115)
      fs.readSync(fd, start, 0, start.length, 0)
      fs.closeSync(fd)
      const expected = Buffer.alloc(start.length)
      expected.write("abc", 65_536)
      expected.write("def", 1_114_112)
      assert.isTrue(start.equals(expected))
    }))

  it.live("a file gets holes in place of pages of zeros, wherever pieces and skipped bytes end", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      const zeros = Buffer.alloc(3_000_000)
      const data = randomBytes(10_000)
      const size = 3 * zeros.length + data.length + 1
      const file = yield* put({ parent, name: "out", overwrite: false, entries: [of("file", "", { size })] })
      yield* file.write(zeros)
      yield* file.write(data)
      yield* file.skip(5)
      yield* file.write(zeros)
      yield* file.write(Buffer.from("x"))
      yield* file.write(zeros)
      yield* file.endFile
      yield* file.commit
      const written = fs.readFileSync(`${parent}/out`)
      assert.isTrue(written.equals(Buffer.concat([zeros, data, Buffer.alloc(5), zeros, Buffer.from("x"), zeros])))
      assert.isAtMost(fs.statSync(`${parent}/out`).blocks * 512, 32_768)
    }))

  it.live("adds to an existing directory and reports its content", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      fs.mkdirSync(`${parent}/out/d`, { recursive: true })
      fs.writeFileSync(`${parent}/out/d/own`, "own")
      const done = yield* write({ parent, entries: tree })
      assert.deepStrictEqual(listed(`${parent}/out`), { ...whole, "d/own": "own" })
      assert.deepStrictEqual(done.there.map((path) => Buffer.from(path).toString()), ["", "d"])
    }))

  it.live("reports all conflicts before it writes, and replaces files and links only with permission", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      fs.mkdirSync(`${parent}/out/d`, { recursive: true })
      fs.writeFileSync(`${parent}/out/d/a`, "old")
      fs.writeFileSync(`${parent}/secret`, "secret")
      fs.symlinkSync("../secret", `${parent}/out/z`)
      const before = listed(parent)
      const conflict = yield* Effect.flip(write({ parent, entries: tree }))
      assert.strictEqual(conflict._tag === "PutFailed" ? conflict.reason : conflict._tag, "conflict")
      if (conflict._tag === "PutFailed") {
        assert.deepStrictEqual(conflict.conflicts.map(({ path }) => Buffer.from(path).toString()), ["d/a", "z"])
      }
      assert.deepStrictEqual(listed(parent), before)
      const done = yield* write({ parent, entries: tree, overwrite: true })
      assert.deepStrictEqual(done.replaced.map((path) => Buffer.from(path).toString()), ["d/a", "z"])
      assert.deepStrictEqual(listed(`${parent}/out`), whole)
      assert.strictEqual(fs.readFileSync(`${parent}/secret`, "latin1"), "secret")
    }))

  it.live("never replaces one type by another and never follows an existing link", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      fs.mkdirSync(`${parent}/elsewhere`)
      const ways: ReadonlyArray<() => void> = [
        () => fs.symlinkSync("../elsewhere", `${parent}/out/d`),
        () => fs.symlinkSync("missing", `${parent}/out/d`),
        () => fs.writeFileSync(`${parent}/out/d`, ""),
        () => fs.mkdirSync(`${parent}/out/z`),
        () => void spawnSync("mkfifo", [`${parent}/out/z`]),
        () => (fs.rmdirSync(`${parent}/out`), fs.symlinkSync("elsewhere", `${parent}/out`))
      ]
      for (const [at, way] of ways.entries()) {
        fs.rmSync(`${parent}/out`, { recursive: true, force: true })
        fs.mkdirSync(`${parent}/out`)
        way()
        const before = listed(parent)
        yield* Effect.flip(write({ parent, entries: tree, overwrite: true }))
        assert.deepStrictEqual(listed(parent), before, String(at))
      }
      assert.deepStrictEqual(fs.readdirSync(`${parent}/elsewhere`), [])
    }))

  it.live("undoes everything after a late conflict", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      fs.mkdirSync(`${parent}/out/d/e`, { recursive: true })
      fs.mkdirSync(`${parent}/elsewhere`)
      fs.writeFileSync(`${parent}/out/d/a`, "old")
      // Ahead of it d/a is exchanged, d/e/b and d/l are moved.
      const failure = yield* Effect.flip(
        write({ parent, entries: tree, overwrite: true }, () => fs.mkdirSync(`${parent}/out/z`))
      )
      assert.strictEqual(failure._tag === "PutFailed" ? failure.reason : failure._tag, "conflict")
      assert.deepStrictEqual(listed(parent), {
        elsewhere: "/",
        out: "/",
        "out/d": "/",
        "out/d/a": "old",
        "out/d/e": "/",
        "out/z": "/"
      })
      fs.rmdirSync(`${parent}/out/z`)
      // A folder that becomes a link while the content flows.
      yield* Effect.flip(write({ parent, entries: tree, overwrite: true }, () => {
        fs.renameSync(`${parent}/out/d`, `${parent}/moved`)
        fs.symlinkSync("../elsewhere", `${parent}/out/d`)
      }))
      assert.deepStrictEqual(fs.readdirSync(`${parent}/elsewhere`), [])
      assert.deepStrictEqual(fs.readdirSync(`${parent}/out`), ["d"])
      assert.deepStrictEqual(listed(`${parent}/moved`), { a: "old", e: "/" })
    }))

  it.live("reports the host's errors", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      const missing = yield* Effect.flip(write({ parent: `${parent}/missing/../out`, entries: tree }))
      assert.include(missing._tag === "PutFailed" ? missing.detail : "", "No such file or directory")
      fs.writeFileSync(`${parent}/file`, "")
      const file = yield* Effect.flip(write({ parent: `${parent}/file`, entries: tree }))
      assert.include(file._tag === "PutFailed" ? file.detail : "", "Not a directory")
    }))
  it.live("makes missing directories, and reports the paths of the output alone", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      for (const within of [undefined, parent]) {
        const place = { parent: `${within === undefined ? `${parent}/` : ""}new/é/deep`, within }
        const done = yield* write({ ...place, entries: tree })
        assert.deepStrictEqual(done, { replaced: [], there: [], made: `${parent}/new` })
        assert.deepStrictEqual(listed(`${parent}/new/é/deep/out`), whole)
        assert.strictEqual(fs.statSync(`${parent}/new`).mode & 0o777, 0o755)
        fs.rmSync(`${parent}/new`, { recursive: true })
      }
      // The directories appear while the content flows, and so does a file in the way of none.
      const late = yield* write({ parent: `${parent}/new/deep`, entries: tree, overwrite: true }, () => {
        fs.mkdirSync(`${parent}/new/deep/out`, { recursive: true })
        fs.writeFileSync(`${parent}/new/deep/out/z`, "old")
      })
      assert.deepStrictEqual([late.made, late.there.map(String)], [undefined, [""]])
      assert.deepStrictEqual(late.replaced.map(String), ["z"])
      assert.deepStrictEqual(listed(`${parent}/new/deep/out`), whole)
    }))

  it.live("leaves no directory behind when it fails, and makes none through a link", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      fs.mkdirSync(`${parent}/elsewhere`)
      fs.symlinkSync("nowhere", `${parent}/dangling`)
      fs.symlinkSync("elsewhere", `${parent}/link`)
      const before = listed(parent)
      const failed = (request: Partial<PutRequest> & { readonly parent: string }, meanwhile?: () => void) =>
        Effect.flip(write({ entries: tree, ...request }, meanwhile))
      const dangling = yield* failed({ parent: `${parent}/dangling/new` })
      assert.deepStrictEqual(
        dangling._tag === "PutFailed" ? dangling.conflicts.map(({ path }) => String(path)) : dangling,
        [`${parent}/dangling`]
      )
      yield* failed({ parent: "dangling/new", within: parent })
      yield* failed({ parent: "link/new", within: parent })
      assert.deepStrictEqual(listed(parent), before)
      // A conflict at the last moment, and a caller that goes away.
      yield* failed({ parent: `${parent}/new/deep` }, () => {
        fs.mkdirSync(`${parent}/new`)
        fs.symlinkSync("../elsewhere", `${parent}/new/deep`)
      })
      assert.deepStrictEqual(listed(parent), { ...before, new: "/", "new/deep": "-> ../elsewhere" })
      fs.rmSync(`${parent}/new`, { recursive: true })
      yield* Effect.scoped(put({ parent: `${parent}/new`, name: "out", overwrite: false, entries: tree }))
      assert.deepStrictEqual(listed(parent), before)
    }))
})

describe("pyro-put as a program", () => {
  beforeAll(() => void (put = putByProgram))

  it.live(
    "writes nowhere else while another process swaps directories and links",
    () =>
      Effect.gen(function*() {
        const parent = yield* scratch
        // Folders that are there already, on both sides: each is opened by its path long after d was looked at.
        const folders = Array.from({ length: 150 }, (_, i) => `e${1000 + i}`)
        const wide = [
          of("directory", ""),
          of("directory", "d"),
          ...folders.flatMap((name) => [of("directory", `d/${name}`), of("file", `d/${name}/b`)])
        ]
        for (const name of folders) {
          fs.mkdirSync(`${parent}/elsewhere/${name}`, { recursive: true })
          fs.mkdirSync(`${parent}/out/d/${name}`, { recursive: true })
        }
        fs.symlinkSync("../elsewhere", `${parent}/out/link`)
        const untouched = listed(`${parent}/elsewhere`)
        // d is a folder, then a link to elsewhere, and again; the staging folder's own d as well.
        const script = `import os,sys,glob
os.chdir(sys.argv[1]); n=0
print("on", flush=True)
while True:
    try: os.rename("out/d","out/aside"); os.rename("out/link","out/d"); os.rename("out/d","out/link"); os.rename("out/aside","out/d")
    except OSError: pass
    n+=1
    if n%50==0:
        for s in glob.glob("out/.pyro-put-*/root"):
            try: os.rename(s+"/d",s+"/x"); os.symlink(os.path.abspath("elsewhere"),s+"/d"); os.unlink(s+"/d"); os.rename(s+"/x",s+"/d")
            except OSError: pass`
        const child = yield* Effect.acquireRelease(
          Effect.callback<ReturnType<typeof spawn>>((resume) => {
            const swapping = spawn("python3", ["-c", script, parent], { stdio: ["ignore", "pipe", "inherit"] })
            swapping.stdout.once("data", () => resume(Effect.succeed(swapping)))
          }),
          (swapping) =>
            Effect.callback<void>((resume) => {
              if (swapping.exitCode !== null) return resume(Effect.void)
              swapping.once("exit", () => resume(Effect.void))
              swapping.kill("SIGKILL")
            })
        )
        for (let round = 0; round < 40; round++) {
          yield* Effect.result(write({ parent, entries: wide, overwrite: true }))
          assert.deepStrictEqual(listed(`${parent}/elsewhere`), untouched, String(round))
        }
        assert.isNull(child.exitCode)
      }),
    60_000
  )

  it.live("leaves nothing when its input ends at any byte", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      const program = `${nativeDirectory()}/pyro-put`
      const content = Buffer.concat(["d/a", "d/e/b", "z"].map((text) =>
        Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text), Buffer.alloc(4)])
      ))
      const input = Buffer.concat([...tree.flatMap(encodeEntry), Buffer.from("e"), content, Buffer.from("c")])
      for (let end = 0; end < input.length; end += 7) {
        const { status } = spawnSync(program, [parent, "out"], { input: input.subarray(0, end) })
        assert.strictEqual(status, 5, String(end))
        assert.deepStrictEqual(fs.readdirSync(parent), [], String(end))
      }
      assert.strictEqual(spawnSync(program, [parent, "out"], { input }).status, 0)
      assert.deepStrictEqual(listed(`${parent}/out`), whole)
    }), 60_000)

  it.live("refuses a list that leads elsewhere, and unannounced content", () =>
    Effect.gen(function*() {
      const parent = yield* scratch
      const program = `${nativeDirectory()}/pyro-put`
      const run = (entries: ReadonlyArray<PutEntry>, rest: Uint8Array = Buffer.alloc(4)) =>
        spawnSync(program, [parent, "out"], {
          input: Buffer.concat([...entries.flatMap(encodeEntry), Buffer.from("e"), rest, Buffer.from("c")])
        }).status
      const root = of("directory", "")
      for (const path of ["..", "../x", "/x", "a/../x", ".", "a//b", "a\0b", "x".repeat(256), "nowhere/x"]) {
        assert.strictEqual(run([root, of("directory", "a"), of("file", path)]), 6, JSON.stringify(path))
      }
      assert.strictEqual(run([of("file", "x")]), 6)
      assert.strictEqual(run([root, of("symlink", "l", { target: Buffer.from("a") }), of("file", "l/x")]), 6)
      assert.strictEqual(run([root, of("symlink", "l", { target: Buffer.from("") })]), 6)
      assert.strictEqual(run([root, of("file", "x", { size: 2 ** 52 }), of("file", "y", { size: 2 ** 52 })]), 3)
      assert.strictEqual(run([root, of("file", "twice"), of("file", "twice")], Buffer.alloc(8)), 1)
      const tooLong = Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from("abc"), Buffer.alloc(4)])
      assert.strictEqual(run([root, of("file", "x", { size: 2 })], tooLong), 6)
      for (let round = 0; round < 30; round++) {
        assert.include([5, 6], spawnSync(program, [parent, "out"], { input: randomBytes(2_000) }).status)
      }
      assert.deepStrictEqual(fs.readdirSync(parent), [])
    }), 60_000)
})
