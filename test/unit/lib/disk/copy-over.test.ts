import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as FastCheck from "fast-check"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { nativeDirectory } from "../../../../src/system/processes/native.ts"
import { temporaryDirectory, temporaryDirectoryIn } from "./temporary-directory.ts"

const page = 4096

const copy = (...args: ReadonlyArray<string>) =>
  spawnSync(path.join(nativeDirectory(), "pyro-copy"), args, { encoding: "utf8", timeout: 20_000 })

/** Pages of a file: `0` a hole, `z` written zeros, any other letter a page of it. */
const write = (file: string, pages: string) => {
  const fd = fs.openSync(file, "w")
  for (const [at, kind] of [...pages].entries()) {
    if (kind !== "0") fs.writeSync(fd, Buffer.alloc(page, kind === "z" ? 0 : kind), 0, page, at * page)
  }
  fs.ftruncateSync(fd, pages.length * page)
  fs.closeSync(fd)
}

/** The pages of the result: a hole of the changes keeps what is below it, and zeros are holes. */
const laid = (source: string, changes: string) =>
  [...source].map((kind, at) => {
    const change = changes[at] ?? "0"
    const result = change === "0" ? kind : change
    return result === "z" ? "0" : result
  }).join("")

const pagesOf = (file: string) => {
  const content = fs.readFileSync(file)
  return Array.from({ length: content.length / page }, (_, at) => {
    const piece = content.subarray(at * page, (at + 1) * page)
    assert.isTrue(piece.equals(Buffer.alloc(page, piece[0]!)))
    return piece[0] === 0 ? "0" : String.fromCharCode(piece[0]!)
  }).join("")
}

const dataPages = (pages: string) => [...pages].filter((kind) => kind !== "0").length

/** In memory, where no file system shares or compresses blocks. */
const folder = temporaryDirectoryIn(fs.existsSync("/dev/shm") ? "/dev/shm" : "/tmp")

const room = Effect.map(folder, (directory) => ({
  from: path.join(directory, "from"),
  changes: path.join(directory, "changes"),
  to: path.join(directory, "to")
}))

const kinds = (letters: string) =>
  FastCheck.array(FastCheck.tuple(FastCheck.constantFrom(...letters), FastCheck.integer({ min: 1, max: 100 })), {
    maxLength: 8
  }).map((runs) => runs.map(([kind, count]) => kind.repeat(count)).join(""))

describe("pyro-copy --over", () => {
  it.live("data of the changes replaces that of the source, a hole keeps it, and zeros take no room", () =>
    Effect.gen(function*() {
      const { changes, from, to } = yield* room
      const cases: ReadonlyArray<readonly [string, string]> = [
        ["abc", "000"],
        ["abc", "xyw"],
        ["abc0", "0z0z"],
        ["0z0", "x0x"],
        ["abc", "00xyyy"],
        ["abcabc", "x"],
        ["a", ""],
        ["", "xyw"],
        ...FastCheck.sample(FastCheck.tuple(kinds("0zab"), kinds("0zxy")), { numRuns: 20, seed: 5 })
      ]
      for (const [source, change] of cases) {
        write(from, source)
        write(changes, change)
        assert.strictEqual(copy("--over", changes, from, to).status, 0)
        const expected = laid(source, change)
        assert.strictEqual(pagesOf(to), expected)
        assert.isAtMost(fs.statSync(to).blocks * 512, dataPages(expected) * page)
        assert.strictEqual(pagesOf(from), source.replaceAll("z", "0"))
        fs.rmSync(to)
      }
    }))

  it.live("several changes are laid one after the other", () =>
    Effect.gen(function*() {
      const { changes, from, to } = yield* room
      write(from, "abcd")
      const names = ["Ax0z", "B", "0C"].map((pages, at) => {
        write(`${changes}-${at}`, pages)
        return `${changes}-${at}`
      })
      assert.strictEqual(copy(...names.flatMap((name) => ["--over", name]), from, to).status, 0)
      assert.strictEqual(pagesOf(to), "BCc0")
      fs.rmSync(to)
      assert.strictEqual(copy(...Array.from({ length: 65 }, () => ["--over", changes]).flat(), from, to).status, 2)
    }))

  it.live("large changes over a large source are laid by two threads", () =>
    Effect.gen(function*() {
      const { changes, from, to } = yield* room
      const [source, change] = ["ab0".repeat(1500) + "0".repeat(3000) + "c", "0x0z0".repeat(1100)]
      write(from, source)
      write(changes, change)
      assert.strictEqual(copy("--over", changes, from, to).status, 0)
      assert.strictEqual(pagesOf(to), laid(source, change))
    }))

  it.live("changes that are no regular file are refused, and nothing is made", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const { changes, from, to } = yield* room
      write(from, "ab")
      write(changes, "x0")
      const odd = (name: string) => path.join(directory, name)
      fs.symlinkSync(changes, odd("link"))
      execFileSync("mkfifo", [odd("fifo")])
      for (const name of ["link", "fifo", ".", "missing"]) {
        const { status, stderr } = copy("--over", odd(name), from, to)
        assert.strictEqual(status, 1)
        assert.include(stderr, "pyro-copy: cannot lay over it")
        assert.isFalse(fs.existsSync(to))
      }
    }))
})

describe("pyro-copy --lay", () => {
  it.live("changes are laid over the file itself, as over a copy", () =>
    Effect.gen(function*() {
      const { changes, to } = yield* room
      const cases = FastCheck.sample(FastCheck.tuple(kinds("0zab"), kinds("0zxy")), { numRuns: 20, seed: 9 })
      for (const [source, change] of [["abc0", "0x0y"], ["abc", "zz"], ["ab", "00xyyy"], ...cases] as const) {
        write(to, source)
        write(changes, change)
        const { ino } = fs.statSync(to)
        assert.strictEqual(copy("--lay", to, changes).status, 0)
        assert.strictEqual(pagesOf(to), laid(source, change))
        assert.strictEqual(fs.statSync(to).ino, ino)
      }
    }))

  it.live("a file that is none, or cannot be laid, is refused", () =>
    Effect.gen(function*() {
      const { changes, to } = yield* room
      write(to, "ab")
      write(changes, "x0")
      fs.symlinkSync(to, `${to}-link`)
      for (
        const [file, change] of [[`${to}-link`, changes], [`${to}-missing`, changes], [to, `${to}-missing`]] as const
      ) {
        const { status, stderr } = copy("--lay", file, change)
        assert.strictEqual(status, 1)
        assert.include(stderr, "pyro-copy: cannot")
      }
      assert.strictEqual(copy("--lay", to).status, 2)
      assert.strictEqual(pagesOf(to), "ab")
      assert.isFalse(fs.existsSync(`${to}-missing`))
    }))
})

describe("pyro-copy --since", () => {
  /** Pages of a file that differ from those of another one, as the changes have them. */
  const differing = (source: string, base: string) =>
    [...source].map((kind, at) => {
      const [now, then] = [kind, base[at] ?? "0"].map((one) => one === "z" ? "0" : one)
      return now === then ? "0" : now === "0" ? "z" : now
    }).join("")

  it.live("the result has the pages that differ from the base, and laid over the base it is the source", () =>
    Effect.gen(function*() {
      const { changes: base, from, to } = yield* room
      const cases: ReadonlyArray<readonly [string, string]> = [
        ["abc", "abc"],
        ["abc", "000"],
        ["000", "abc"],
        ["0z0", "z0a"],
        ["abcd", "ab"],
        ["ab", "abcd"],
        ["", "a"],
        ["ab0".repeat(1500) + "0".repeat(3000) + "c", "0x0b0".repeat(1100)],
        ["0".repeat(5000) + "a", "0".repeat(5000) + "a"],
        ...FastCheck.sample(FastCheck.tuple(kinds("0zab"), kinds("0zab")), { numRuns: 20, seed: 7 })
      ]
      for (const [source, below] of cases) {
        write(from, source)
        write(base, below)
        const { status, stdout } = copy("--since", base, from, to)
        assert.deepStrictEqual([status, stdout], [0, "changes\n"])
        const expected = differing(source, below)
        assert.strictEqual(pagesOf(to), expected.replaceAll("z", "0"))
        assert.isAtMost(fs.statSync(to).blocks * 512, dataPages(expected) * page)
        fs.truncateSync(base, source.length * page)
        const back = `${to}-back`
        assert.strictEqual(copy("--over", to, base, back).status, 0)
        assert.strictEqual(pagesOf(back), source.replaceAll("z", "0"))
        for (const file of [to, back]) fs.rmSync(file)
      }
    }))

  it.live("a base that is missing or a link is refused, and nothing is made", () =>
    Effect.gen(function*() {
      const { changes: link, from, to } = yield* room
      write(from, "ab")
      assert.strictEqual(copy("--since", link, from, to).status, 1)
      fs.symlinkSync(from, link)
      assert.strictEqual(copy("--since", link, from, to).status, 1)
      assert.isFalse(fs.existsSync(to))
      assert.strictEqual(copy("--since", from, "--over", from, from, to).status, 2)
    }))
})

describe("pyro-copy of a file that a VM's own process may have made", () => {
  it.live("a symbolic link is not followed", () =>
    Effect.gen(function*() {
      const { changes: link, from, to } = yield* room
      write(from, "ab")
      fs.symlinkSync(from, link)
      const { status, stderr } = copy(link, to)
      assert.strictEqual(status, 1)
      assert.include(stderr, "cannot open")
      assert.isFalse(fs.existsSync(to))
    }))

  it.live("the holes of the largest files are passed over at once", () =>
    Effect.gen(function*() {
      const { changes, from, to } = yield* room
      const size = 2 ** 43
      for (const [file, at] of [[from, size - page], [changes, 4 * page]] as const) {
        write(file, "0a")
        fs.truncateSync(file, size)
        const fd = fs.openSync(file, "r+")
        fs.writeSync(fd, Buffer.alloc(page, "d"), 0, page, at)
        fs.closeSync(fd)
      }
      const before = performance.now()
      assert.strictEqual(copy("--over", changes, from, to).status, 0)
      assert.isBelow(performance.now() - before, 2_000)
      const fd = fs.openSync(to, "r")
      for (const [at, kind] of [[page, "a"], [4 * page, "d"], [size - page, "d"], [size / 2, "\0"]] as const) {
        const piece = Buffer.alloc(page)
        fs.readSync(fd, piece, 0, page, at)
        assert.isTrue(piece.equals(Buffer.alloc(page, kind)))
      }
      fs.closeSync(fd)
      assert.strictEqual(fs.statSync(to).blocks * 512, 3 * page)
    }))
})
