import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as FastCheck from "fast-check"
import { execFileSync, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { nativeDirectory } from "../../../../src/system/processes/native.ts"
import { smallFileSystem, temporaryDirectory, temporaryDirectoryIn } from "./temporary-directory.ts"

const page = 4096
const mib = 1024 * 1024
const isRoot = process.getuid?.() === 0
const ifRoot = isRoot ? "" : " (skipped: only root can mount a small file system to fill)"

const copy = (...args: ReadonlyArray<string>) =>
  spawnSync(path.join(nativeDirectory(), "pyro-copy"), args, { encoding: "utf8" })

/** Pages of a file: `0` a hole, `z` written zeros, `d` data, `e` zeros but for the last byte. */
const write = (file: string, pages: string, tail: number) => {
  const fd = fs.openSync(file, "w")
  const data = randomBytes(page)
  const nearly = Buffer.alloc(page)
  nearly[page - 1] = 1
  ;[...pages].forEach((kind, index) => {
    if (kind !== "0") {
      fs.writeSync(fd, kind === "d" ? data : kind === "e" ? nearly : Buffer.alloc(page), 0, page, index * page)
    }
  })
  fs.ftruncateSync(fd, Math.max(0, pages.length * page - tail))
  fs.closeSync(fd)
}

const dataPages = (pages: string) => [...pages].filter((kind) => kind === "d" || kind === "e").length

const files = FastCheck.tuple(
  FastCheck.array(
    FastCheck.tuple(FastCheck.constantFrom("0", "z", "d", "e"), FastCheck.oneof(FastCheck.nat(5), FastCheck.nat(400))),
    { maxLength: 12 }
  ).map((runs) => runs.map(([kind, count]) => kind.repeat(count)).join("")),
  FastCheck.constantFrom(0, 1, 4000)
)

/** In memory, where no file system shares or compresses blocks. */
const folder = temporaryDirectoryIn(fs.existsSync("/dev/shm") ? "/dev/shm" : "/tmp")

describe("pyro-copy", () => {
  it.live("pyro-copy copies any sparse file exactly and leaves out zeros, and punching gives the same", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const [from, to] = [path.join(directory, "from"), path.join(directory, "to")]
      for (const [pages, tail] of FastCheck.sample(files, { numRuns: 40, seed: 11 })) {
        write(from, pages, tail)
        const whole = fs.readFileSync(from)
        assert.strictEqual(copy(from, to).status, 0)
        assert.isTrue(fs.readFileSync(to).equals(whole), pages)
        assert.isAtMost(fs.statSync(to).blocks * 512, dataPages(pages) * page)
        assert.strictEqual(fs.statSync(to).mode & 0o7777, 0o600)
        assert.strictEqual(copy("--punch", from).status, 0)
        assert.isTrue(fs.readFileSync(from).equals(whole))
        assert.isAtMost(fs.statSync(from).blocks * 512, dataPages(pages) * page)
        fs.rmSync(to)
      }
    }))

  it.live("pyro-copy copies a large file exactly with two threads", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const [from, to] = [path.join(directory, "from"), path.join(directory, "to")]
      write(from, "dd0zed0".repeat(1500) + "0".repeat(20_000) + "d", 77)
      assert.strictEqual(copy(from, to).status, 0)
      execFileSync("cmp", [from, to])
      assert.strictEqual(fs.statSync(to).blocks * 512, (1500 * 4 + 1) * page)
    }))

  it.live("pyro-copy never replaces a file, follows no link and copies only regular files", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const [from, to] = [path.join(directory, "from"), path.join(directory, "to")]
      fs.writeFileSync(from, "new")
      fs.writeFileSync(to, "old")
      assert.strictEqual(copy(from, to).status, 1)
      assert.strictEqual(fs.readFileSync(to, "utf8"), "old")
      execFileSync("mkfifo", [path.join(directory, "fifo")])
      fs.symlinkSync(from, path.join(directory, "link"))
      for (const odd of ["fifo", "link", ".", "missing"]) {
        assert.strictEqual(copy(path.join(directory, odd), path.join(directory, "odd")).status, 1)
        assert.isFalse(fs.existsSync(path.join(directory, "odd")))
      }
      assert.strictEqual(copy("--punch", path.join(directory, "fifo")).status, 1)
    }))

  it.live("pyro-copy sets mode and owner, and refuses invalid arguments", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const from = path.join(directory, "from")
      fs.writeFileSync(from, "content")
      const [uid, gid] = isRoot ? [1234, 4321] : [process.getuid!(), process.getgid!()]
      assert.strictEqual(copy("--owner", `${uid}:${gid}`, "--mode", "440", from, path.join(directory, "to")).status, 0)
      const stat = fs.statSync(path.join(directory, "to"))
      assert.deepStrictEqual([stat.uid, stat.gid, stat.mode & 0o7777], [uid, gid, 0o440])
      const wrong = [[], [from], ["--owner", "1", from, "x"], ["--owner", "-1:0", from, "x"], [
        "--mode",
        "8",
        from,
        "x"
      ], ["--what", "x", from, "x"]]
      for (const args of wrong) {
        assert.strictEqual(copy(...args).status, 2, args.join(" "))
      }
    }))

  it.skipIf(!isRoot)(
    `pyro-copy reports a full file system by its status, and leaves nothing${ifRoot}`,
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const small = yield* smallFileSystem(4)
        fs.writeFileSync(path.join(directory, "from"), randomBytes(12 * mib))
        const { status, stderr } = copy(path.join(directory, "from"), path.join(small, "to"))
        assert.strictEqual(status, 3)
        assert.include(stderr, "No space left")
        assert.deepStrictEqual(fs.readdirSync(small), [])
        assert.strictEqual(fs.statfsSync(small).bfree, fs.statfsSync(small).blocks)
      }).pipe(Effect.scoped, Effect.runPromise)
  )

  it.effect("pyro-copy becomes a program that outlives its parent, only when the copy is made", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const [from, to] = [path.join(directory, "from"), path.join(directory, "to")]
      write(from, "d0d", 0)
      const death =
        "import ctypes, sys; n = ctypes.c_int(-1); ctypes.CDLL(None).prctl(2, ctypes.byref(n)); print(n.value, sys.argv[1:])"
      const whole = copy(from, to, "1", "python3", "-c", death, "an argument")
      assert.deepStrictEqual([whole.status, whole.stdout], [0, "copied\n0 ['an argument']\n"])
      assert.isTrue(fs.readFileSync(to).equals(fs.readFileSync(from)))
      const taken = copy(from, to, "1", "echo", "started")
      assert.deepStrictEqual([taken.status, taken.stdout], [1, ""])
      assert.match(taken.stderr, /^pyro-copy: cannot create .*to: File exists$/m)
      const missing = copy(from, `${to}2`, "1", "no-such-program")
      assert.deepStrictEqual([missing.status, missing.stdout], [1, "copied\n"])
      for (const wrong of [["1"], ["x", "echo"]]) assert.strictEqual(copy(from, `${to}3`, ...wrong).status, 2)
    }))
})
