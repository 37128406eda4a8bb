import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import * as FastCheck from "fast-check"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { type FromPath, SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import { nativeDirectory } from "../../../../src/system/processes/native.ts"
import { setAttribute } from "../../../support/files/attributes.ts"
import { debugfs, dump, fsckComplaint, listing } from "./inspect.ts"
import { withSeeds } from "./seeds.ts"
import { temporaryDirectory, temporaryDirectoryIn } from "./temporary-directory.ts"

const mib = 1024 * 1024

const seed = (cacheDir: string, options: Omit<FromPath, "virtualMib"> & { readonly virtualMib?: number }) =>
  withSeeds(cacheDir, Effect.flatMap(SeedImages, (seeds) => seeds.fromPath({ virtualMib: 16 * 1024, ...options })))

/** A directory for the cache and an empty one to be filled. */
const places = Effect.map(temporaryDirectory, (directory) => {
  const tree = path.join(directory, "tree")
  fs.mkdirSync(tree)
  return { directory, tree }
})

const names = (image: string, folder: string) =>
  debugfs(image, `ls -p ${folder}`).split("\n").flatMap((line) => {
    const name = line.split("/")[5]
    return name === undefined || name === "." || name === ".." ? [] : [name]
  })

/** What a generated tree has at one place. */
type Made =
  | { readonly kind: "file"; readonly bytes: number; readonly mode: number }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "sparse"; readonly holes: ReadonlyArray<number> }
  | { readonly kind: "hard"; readonly of: number }

const component = FastCheck.oneof(
  { arbitrary: FastCheck.stringMatching(/^[a-z]{1,8}$/), weight: 5 },
  FastCheck.stringMatching(/^[ -.0-~]{1,40}$/).filter((name) => name !== "." && name !== ".."),
  FastCheck.stringMatching(/^[a-zé]{100,120}$/)
)

const made: FastCheck.Arbitrary<Made> = FastCheck.oneof(
  FastCheck.record({
    kind: FastCheck.constant("file" as const),
    bytes: FastCheck.oneof(
      FastCheck.nat(9000),
      FastCheck.constantFrom(0, 1, 4095, 4096, 4097, 1048576, 1048577, 3000000)
    ),
    mode: FastCheck.constantFrom(0o600, 0o644, 0o755, 0o444, 0o4755, 0o1777)
  }),
  FastCheck.record({
    kind: FastCheck.constant("link" as const),
    target: FastCheck.oneof(
      FastCheck.stringMatching(/^[a-z./]{1,70}$/),
      FastCheck.constantFrom("/etc/passwd", "../..", "x".repeat(4000))
    )
  }),
  FastCheck.record({
    kind: FastCheck.constant("sparse" as const),
    holes: FastCheck.array(FastCheck.nat(200), { maxLength: 12 })
  }),
  FastCheck.record({ kind: FastCheck.constant("hard" as const), of: FastCheck.nat(30) })
)

const trees = FastCheck.array(FastCheck.tuple(FastCheck.array(component, { minLength: 1, maxLength: 5 }), made), {
  maxLength: 60
})

/** Makes what it can of a generated tree: names may collide, and then the first one stays. */
const build = (root: string, entries: ReadonlyArray<readonly [ReadonlyArray<string>, Made]>) => {
  const files: Array<string> = []
  for (const [components, what] of entries) {
    const file = path.join(root, ...components)
    try {
      fs.mkdirSync(path.dirname(file), { recursive: true })
      if (what.kind === "link") fs.symlinkSync(what.target, file)
      else if (what.kind === "hard") fs.linkSync(files[what.of % files.length] ?? "", file)
      else {
        const fd = fs.openSync(file, "wx")
        if (what.kind === "file") fs.writeSync(fd, Buffer.alloc(what.bytes, `${components.join("")}${what.mode}`))
        else what.holes.forEach((at) => void fs.writeSync(fd, Buffer.from(`at ${at}`), 0, 4, at * 5000))
        fs.closeSync(fd)
        fs.chmodSync(file, what.kind === "file" ? what.mode : 0o644)
        fs.utimesSync(file, 1, 1_000_000_000 + files.length)
        files.push(file)
      }
    } catch (cause) {
      if (!/E(EXIST|NOTDIR|ISDIR|NOENT|LOOP)/.test(String((cause as NodeJS.ErrnoException).code))) throw cause
    }
  }
}

/** As `listing`, with the bits that a file loses on its way into a guest taken away. */
const expected = (root: string) =>
  listing(root).map((line) => line.startsWith("f ") ? line.replace(/ [1-7](\d{3}) (\d+ \S*)$/, " $1 $2") : line)

describe("seed images from directories", () => {
  it.live("a seed from a directory has the same tree in a sound image", () =>
    Effect.gen(function*() {
      const samples = FastCheck.sample(trees, { numRuns: 20, seed: 20_201 })
      for (const entries of samples) {
        yield* Effect.gen(function*() {
          const { directory, tree } = yield* places
          build(tree, entries)
          const { image, report } = yield* seed(directory, { path: tree })
          assert.deepStrictEqual(report.skipped, [])
          assert.strictEqual(fsckComplaint(image.path), "")
          assert.deepStrictEqual(listing(dump(image.path, path.join(directory, "dump"))), expected(tree))
        }).pipe(Effect.scoped)
      }
    }), 60_000)

  it.live("a seed leaves out and reports entries that are no file, directory or symlink", () =>
    Effect.gen(function*() {
      const { directory, tree } = yield* places
      execFileSync("mkfifo", [path.join(tree, "fifo")])
      execFileSync("python3", [
        "-c",
        "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
        path.join(tree, "socket")
      ])
      const root = process.getuid?.() === 0
      if (root) execFileSync("mknod", [path.join(tree, "null"), "c", "1", "3"])
      fs.writeFileSync(path.join(tree, "good"), "good")
      const { image, report } = yield* seed(directory, { path: tree })
      assert.deepStrictEqual(report.skipped, [
        { path: "fifo", reason: "it is a FIFO" },
        ...(root ? [{ path: "null", reason: "it is a device" }] : []),
        { path: "socket", reason: "it is a socket" }
      ])
      assert.deepStrictEqual(names(image.path, "/workspace"), ["good"])
    }))

  it.live("a seed counts the set-user-ID bits and extended attributes that it drops, and names the first file", () =>
    Effect.gen(function*() {
      const { directory, tree } = yield* places
      for (const name of ["a", "b", "c", "d/e"]) {
        fs.mkdirSync(path.dirname(path.join(tree, name)), { recursive: true })
        fs.writeFileSync(path.join(tree, name), name)
      }
      fs.chmodSync(path.join(tree, "b"), 0o4755)
      fs.linkSync(path.join(tree, "b"), path.join(tree, "b2"))
      fs.chmodSync(path.join(tree, "c"), 0o2755)
      setAttribute(path.join(tree, "c"))
      setAttribute(path.join(tree, "d"))
      const whole = yield* seed(directory, { path: tree })
      assert.deepStrictEqual(whole.report.losses, {
        setIds: { count: 2, first: "b" },
        attributes: { count: 2, first: "c" }
      })
      const listed = yield* seed(directory, { path: tree, list: Buffer.from("a\0c\0") })
      assert.deepStrictEqual(listed.report.losses, {
        setIds: { count: 1, first: "c" },
        attributes: { count: 1, first: "c" }
      })
      const none = yield* seed(directory, { path: tree, list: Buffer.from("a\0") })
      assert.deepStrictEqual(none.report.losses, {})
    }))

  it.live("a seed from the cache reports the losses of the seed that made it", () =>
    Effect.gen(function*() {
      const { directory, tree } = yield* places
      fs.writeFileSync(path.join(tree, "b"), "b")
      fs.chmodSync(path.join(tree, "b"), 0o4755)
      const first = yield* seed(directory, { path: tree })
      // A source is known once it is unchanged for a second.
      yield* Effect.repeat(seed(directory, { path: tree }), {
        until: () => fs.readdirSync(path.join(directory, "seeds", "sources")).length > 0,
        schedule: Schedule.spaced("100 millis")
      })
      const again = yield* seed(directory, { path: tree })
      assert.deepStrictEqual(again.report.losses, { setIds: { count: 1, first: "b" } })
      assert.deepStrictEqual(again.report, first.report)
    }))

  it.live("a seed leaves out and reports unreadable entries and has the rest", () =>
    Effect.gen(function*() {
      const { directory, tree } = yield* places
      fs.mkdirSync(path.join(tree, "closed"))
      fs.writeFileSync(path.join(tree, "closed", "inside"), "x")
      fs.writeFileSync(path.join(tree, "good"), "good")
      fs.writeFileSync(path.join(tree, "secret"), "secret", { mode: 0 })
      fs.linkSync(path.join(tree, "secret"), path.join(tree, "secret-too"))
      fs.chmodSync(path.join(tree, "closed"), 0)
      const into = path.join(directory, "into")
      fs.mkdirSync(into)
      // Root reads everything: as root, the tool runs as nobody.
      const root = process.getuid?.() === 0
      if (root) execFileSync("chown", ["-R", "65534:65534", directory])
      const tool = path.join(nativeDirectory(), "pyro-seed")
      const copy = path.join(directory, "pyro-seed")
      fs.copyFileSync(tool, copy)
      fs.chmodSync(copy, 0o755)
      const as = root ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
      const [command, ...args] = [...as, copy, "--into", into, "--virtual-bytes", String(64 * mib), "--directory", tree]
      const { stdout, status } = spawnSync(command!, args, { encoding: "utf8" })
      // An ordinary user could not remove it otherwise.
      fs.chmodSync(path.join(tree, "closed"), 0o700)
      assert.strictEqual(status, 0)
      assert.include(stdout, "skip\0closed\0Permission denied\0")
      assert.include(stdout, "skip\0secret\0Permission denied\0")
      assert.include(stdout, "skip\0secret-too\0another name of it could not be read\0")
      const [image] = fs.readdirSync(into)
      assert.strictEqual(fsckComplaint(path.join(into, image!)), "")
      assert.deepStrictEqual(names(path.join(into, image!), "/workspace"), ["closed", "good"])
    }))

  it.live("a seed with a list has only the listed paths with their directories, and follows no symlink", () =>
    Effect.gen(function*() {
      const { directory, tree } = yield* places
      fs.mkdirSync(path.join(tree, "a", "b"), { recursive: true })
      fs.chmodSync(path.join(tree, "a"), 0o700)
      fs.writeFileSync(path.join(tree, "a", "b", "wanted"), "1")
      fs.writeFileSync(path.join(tree, "a", "b", "unwanted"), "2")
      fs.writeFileSync(path.join(directory, "outside"), "secret")
      fs.symlinkSync("..", path.join(tree, "up"))
      fs.symlinkSync("a", path.join(tree, "alias"))
      const wanted = [
        "a/b/wanted",
        "a/b/wanted",
        "up",
        "up/outside",
        "alias/b/unwanted",
        "../outside",
        "/etc/passwd",
        "gone",
        "a"
      ]
      const { image, report } = yield* seed(directory, {
        path: tree,
        list: Buffer.from(wanted.map((name) => `${name}\0`).join(""))
      })
      assert.strictEqual(fsckComplaint(image.path), "")
      const lines = listing(dump(image.path, path.join(directory, "dump")))
      assert.deepStrictEqual(lines.map((line) => line.split(" ").slice(0, 2).join(" ")), [
        "d ",
        "d a",
        "d a/b",
        "f a/b/wanted",
        "l up"
      ])
      assert.match(lines[1]!, /^d a 700 /)
      assert.deepStrictEqual(report.skipped.map(({ path }) => path), [
        "up/outside",
        "alias/b/unwanted",
        "../outside",
        "/etc/passwd",
        "gone"
      ])
    }))

  it.live("a tree that swaps files for symlinks during the seed gives no outside file", () =>
    Effect.gen(function*() {
      const { directory, tree } = yield* places
      const secret = path.join(directory, "secret")
      fs.mkdirSync(secret)
      for (let index = 0; index < 300; index++) {
        fs.writeFileSync(path.join(secret, `f${index}`), "SECRET")
        fs.mkdirSync(path.join(tree, `d${index}`))
        fs.writeFileSync(path.join(tree, `d${index}`, `f${index}`), "public")
      }
      const swapper = `
        i=0; while :; do i=$(( (i + 7) % 300 ))
          mv "$1/d$i" "$1/x$i" && ln -s "$2" "$1/d$i" && rm "$1/d$i" && mv "$1/x$i" "$1/d$i"
        done 2>/dev/null`
      const child = yield* Effect.acquireRelease(
        Effect.promise(async () =>
          (await import("node:child_process")).spawn("sh", ["-c", swapper, "sh", tree, secret])
        ),
        (running) =>
          Effect.promise(() =>
            new Promise((resolve) => {
              running.once("exit", resolve)
              running.kill("SIGKILL")
            })
          )
      )
      assert.isDefined(child.pid)
      for (let round = 0; round < 12; round++) {
        const { image } = yield* seed(directory, { path: tree, virtualMib: 32 })
        assert.strictEqual(fsckComplaint(image.path), "")
        assert.notInclude(fs.readFileSync(image.path).toString("latin1"), "SECRET")
        fs.rmSync(image.path)
      }
    }))

  it.live("100,000 files in one directory are seeded with an index in seconds", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      // In memory where there is room: it is the seeding that is looked at, not the disk under the tree.
      const tree = yield* temporaryDirectoryIn(fs.existsSync("/dev/shm") ? "/dev/shm" : directory)
      const folder = path.join(tree, "many")
      fs.mkdirSync(folder)
      execFileSync("python3", [
        "-c",
        "import sys\nfor i in range(100000): open(f'{sys.argv[1]}/file-{i}', 'w')",
        folder
      ])
      const start = performance.now()
      const { image, report } = yield* seed(directory, { path: tree })
      const tookMs = performance.now() - start
      assert.strictEqual(report.files, 100_000)
      assert.strictEqual(fsckComplaint(image.path), "")
      assert.match(debugfs(image.path, "stat /workspace/many"), /Flags: 0x81000/) // extents and a hash index
      // By the square of the number it takes minutes; this is about 1 s of work.
      assert.isBelow(tookMs, 30_000)
    }), 120_000)

  it.live("hard links of a seeded directory stay hard links", () =>
    Effect.gen(function*() {
      const { directory, tree } = yield* places
      fs.mkdirSync(path.join(tree, "d"))
      fs.writeFileSync(path.join(tree, "one"), "same")
      fs.linkSync(path.join(tree, "one"), path.join(tree, "d", "two"))
      const { image, report } = yield* seed(directory, { path: tree })
      assert.strictEqual(report.files, 1)
      assert.match(debugfs(image.path, "stat /workspace/d/two"), /Links: 2/)
    }))

  it.live("a sparse file of a terabyte stays sparse in the seed, also in a thousand pieces", () =>
    Effect.gen(function*() {
      const { directory, tree } = yield* places
      const fd = fs.openSync(path.join(tree, "sparse"), "w")
      for (let piece = 0; piece < 1000; piece++) fs.writeSync(fd, Buffer.from("a piece\n"), 0, 8, piece * 2 ** 30)
      fs.ftruncateSync(fd, 2 ** 40)
      fs.closeSync(fd)
      const { image } = yield* seed(directory, { path: tree })
      assert.strictEqual(fsckComplaint(image.path), "")
      assert.match(debugfs(image.path, "stat /workspace/sparse"), /Size: 1099511627776/)
      assert.isBelow(fs.statSync(image.path).blocks * 512, 16 * mib)
    }))
})
