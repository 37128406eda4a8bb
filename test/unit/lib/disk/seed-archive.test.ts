import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import { setAttribute } from "../../../support/files/attributes.ts"
import {
  contents,
  EVIL_NAMES,
  flip,
  leavesOut,
  listings,
  refusedAt,
  rejection,
  sampleTree,
  seed,
  steps,
  survivesDamage
} from "./archive-seeds.ts"
import { debugfs, dump, fsckComplaint } from "./inspect.ts"
import { endOfArchive, gnuLong, pax, type RawEntry, rawEntry, rawTar } from "./tar-bytes.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

const mib = 1024 * 1024

const file = (name: string, content = name, more: Partial<RawEntry> = {}): RawEntry => ({ name, content, ...more })

describe("seed images from archives", { concurrent: true }, () => {
  const compressors = [[""], ["gz", "gzip"], ["zst", "zstd", "-q"], ["xz", "xz", "-1"], ["bz2", "bzip2"]]
  for (const format of ["v7", "ustar", "gnu", "pax"]) {
    for (const [suffix, ...compressor] of format === "gnu" ? compressors : compressors.slice(0, 1)) {
      it.live(`a seed from a ${format} archive ${suffix} of tar has the same tree`, () =>
        Effect.gen(function*() {
          const directory = yield* temporaryDirectory
          const tree = sampleTree(directory, { long: format === "gnu" || format === "pax" })
          const tar = execFileSync("tar", [`--format=${format}`, "-c", "-C", tree, "."], { maxBuffer: 64 * mib })
          const archive = compressor.length === 0
            ? tar
            : execFileSync(compressor[0]!, [...compressor.slice(1), "-c"], { input: tar, maxBuffer: 64 * mib })
          const { expected, seeded } = yield* listings(directory, tree, archive)
          assert.deepStrictEqual(seeded, expected)
        }))
    }
  }

  it.live("a seed from an archive counts the set-user-ID bits and extended attributes that it drops", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const tree = sampleTree(directory)
      setAttribute(path.join(tree, "a", "file"))
      setAttribute(path.join(tree, "empty"))
      const tar = execFileSync("tar", ["--format=pax", "--xattrs", "--sort=name", "-c", "-C", tree, "."], {
        maxBuffer: 64 * mib
      })
      const { report } = yield* seed(directory, tar)
      assert.deepStrictEqual(report.losses, {
        setIds: { count: 1, first: "./a/tool" },
        attributes: { count: 2, first: "./a/file" }
      })
    }))

  it.live("files of a seeded archive belong to root, whatever the archive says", () =>
    Effect.gen(function*() {
      const { image } = yield* seed(
        yield* temporaryDirectory,
        rawTar(file("mine"), { name: "dir", type: "5", mode: 0o755 })
      )
      assert.match(debugfs(image.path, "stat /workspace/mine"), /User:\s+0\s+Group:\s+0/)
      assert.match(debugfs(image.path, "stat /workspace/dir"), /User:\s+0\s+Group:\s+0/)
    }))

  it.live("a seed leaves out and reports archive names that lead out of the archive", () =>
    Effect.suspend(() => {
      const evil = [...EVIL_NAMES, "/"]
      return leavesOut(rawTar(file("good"), ...evil.map((name) => file(name, "evil"))), evil)
    }))

  it.live("a seeded archive writes nothing through a symlink or a file, and has no link that leads out", () =>
    Effect.gen(function*() {
      const { names, skipped } = yield* contents(rawTar(
        { name: "etc", type: "2", link: "/etc" },
        file("etc/passwd", "evil"),
        file("plain"),
        file("plain/below", "evil"),
        { name: "hard", type: "1", link: "/etc/passwd" },
        { name: "hard2", type: "1", link: "../../etc/passwd" },
        { name: "hard3", type: "1", link: "etc/passwd" },
        { name: "hard4", type: "1", link: "nowhere" },
        { name: "dir", type: "5", mode: 0o755 },
        { name: "hard5", type: "1", link: "dir" },
        { name: "hard6", type: "1", link: "" },
        { name: "hard7", type: "1", link: "hard7" },
        { name: "empty-link", type: "2", link: "" }
      ))
      assert.deepStrictEqual(names, ["d dir", "l etc", "f plain"])
      assert.strictEqual(skipped.length, 10)
    }))

  it.live("a seed leaves out device nodes, FIFOs and unknown types of an archive with their content", () =>
    Effect.gen(function*() {
      const odd = ["3", "4", "6", "M", "V", "Z", "D", "\x01"]
      const { names, skipped } = yield* contents(rawTar(
        ...odd.map((type, index) => ({
          name: `odd${index}`,
          type,
          ...("346".includes(type) ? {} : { content: "x".repeat(700) })
        })),
        file("good")
      ))
      assert.deepStrictEqual(names, ["f good"])
      assert.strictEqual(skipped.length, odd.length)
    }))

  it.live("a later archive entry replaces an earlier one, but never a directory", () =>
    Effect.gen(function*() {
      const { lines, skipped } = yield* contents(rawTar(
        file("a", "first"),
        { name: "b", type: "1", link: "a" },
        file("a", "second", { mode: 0o600 }),
        { name: "c", type: "2", link: "x" },
        file("c", "no link any more"),
        file("d", "file"),
        { name: "d", type: "5", mode: 0o700 },
        file("d/e", "below"),
        file("d", "file again"),
        { name: "d", type: "5", mode: 0o711 }
      ))
      assert.deepStrictEqual(
        lines.map((line) => line.replace(" 1600000000", "")),
        [
          "f a 600 second",
          "f b 644 first",
          "f c 644 no link any more",
          "d d 711",
          "f d/e 644 below"
        ]
      )
      assert.deepStrictEqual(skipped.map(({ path }) => path), ["d"])
    }))

  it.live("a thousand replacements of one file leave its last content and a sound image", () =>
    Effect.gen(function*() {
      const { image, names } = yield* contents(rawTar(
        ...Array.from({ length: 1000 }, (_, index) => file("same", `${index}`.repeat(3000)))
      ))
      assert.deepStrictEqual(names, ["f same"])
      assert.isDefined(image)
    }))

  it.live("hard links of a seeded archive share one inode", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const { image } = yield* seed(directory, rawTar(file("one"), { name: "d/two", type: "1", link: "./one" }))
      assert.strictEqual(fsckComplaint(image.path), "")
      assert.match(debugfs(image.path, "stat /workspace/one"), /Links: 2/)
      const inode = (name: string) => /Inode: (\d+)/.exec(debugfs(image.path, `stat /workspace/${name}`))![1]
      assert.strictEqual(inode("one"), inode("d/two"))
    }).pipe(Effect.scoped))

  it.live("a seed keeps archive names of any bytes, and mtimes before 1970 and with a fraction", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const { image, report } = yield* seed(
        directory,
        rawTar(
          { name: Buffer.from("b\xff\n", "latin1"), content: "x" },
          pax({ mtime: "-1.25" }),
          file("old"),
          pax({ mtime: "1700000000.123456789", path: "pax/name" }),
          file("ignored"),
          { name: Buffer.from("\xff\n", "latin1"), type: "6" }
        )
      )
      assert.strictEqual(fsckComplaint(image.path), "")
      const names = fs.readdirSync(dump(image.path, path.join(directory, "dump")), { encoding: "latin1" })
      assert.deepStrictEqual(names.sort(), ["b\xff\n", "old", "pax"])
      assert.match(debugfs(image.path, "stat /workspace/pax/name"), /mtime: 0x6553f100:1d6f345[4567]/)
      assert.match(debugfs(image.path, "stat /workspace/old"), /mtime: 0xfffffffe:b2d05e0[0123]/)
      assert.deepStrictEqual(report.skipped.map(({ path }) => path), ["\"\\377\\n\""])
    }).pipe(Effect.scoped))

  it.live("a seed leaves out archive names that are too long or have NUL bytes", () =>
    Effect.gen(function*() {
      const { names, skipped } = yield* contents(rawTar(
        gnuLong("x".repeat(256)),
        file("a"),
        gnuLong("x/".repeat(2048) + "y"),
        file("a"),
        gnuLong("x/".repeat(500_000)),
        file("a"),
        pax({ path: "with\0nul" }),
        file("a"),
        gnuLong("y/".repeat(20) + "end"),
        file("a")
      ))
      assert.isTrue(names.some((name) => name.endsWith("y/end")))
      assert.deepStrictEqual(skipped.map(({ reason }) => reason), [
        "its path is too long",
        "its path is too long",
        "its path is too long",
        "its name holds a NUL byte"
      ])
    }))

  it.live("a seed keeps the longest possible path, two thousand directories deep", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const { image, report } = yield* seed(directory, rawTar(gnuLong("x/".repeat(2047) + "y"), file("a", "bottom")))
      assert.strictEqual(fsckComplaint(image.path), "")
      assert.strictEqual(report.directories, 2047)
      assert.strictEqual(debugfs(image.path, `cat /workspace/${"x/".repeat(2047)}y`), "bottom")
    }).pipe(Effect.scoped))

  it.live("an archive that is cut anywhere is refused and leaves nothing", () =>
    Effect.gen(function*() {
      const whole = rawTar(file("one", "1".repeat(900)), gnuLong("long/name"), file("two", "2".repeat(100)))
      const contentEnds = whole.length - endOfArchive.length
      yield* refusedAt(whole, steps(0, contentEnds, 313))
      const compressed = gzipSync(Buffer.concat([whole, Buffer.alloc(10_000, "x")]))
      const failure = yield* rejection(compressed.subarray(0, compressed.length - 30))
      assert.include(failure.message, "gzip cannot unpack it: it is damaged or cut short (gzip: stdin: unexpected end")
    }))

  it.live("an archive with damaged headers or absurd sizes, or another file, is refused with the reason", () =>
    Effect.gen(function*() {
      const huge = (bytes: ReadonlyArray<number>) => Buffer.from(bytes)
      const cases: ReadonlyArray<readonly [Uint8Array, string, string]> = [
        [Buffer.from("hello"), "SeedRejected", "middle of a header"],
        [Buffer.alloc(5000, "hello"), "SeedRejected", "no tar archive"],
        [rawTar(file("ok"), file("bad", "x", { checksum: "000000\0 " })), "SeedRejected", "is damaged"],
        [rawTar(file("a", "x", { size: 8 ** 11 - 1 })), "NoSpace", "workspace disk"],
        [
          rawTar(file("a", "x", { size: huge([0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255]) })),
          "SeedRejected",
          "more than a file"
        ],
        [
          rawTar(file("a", "x", { size: huge([0xff, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]) })),
          "SeedRejected",
          "usable size"
        ],
        [
          rawTar(file("a", "x", { size: huge([0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) })),
          "SeedRejected",
          "usable size"
        ],
        [rawTar({ name: "L", type: "L", size: 2 ** 32 }, file("a")), "SeedRejected", "extended header of"],
        [
          rawTar({ name: "x", type: "x", content: "99 path=short\n" }, file("a")),
          "SeedRejected",
          "extended header is damaged"
        ],
        [
          rawTar({ name: "x", type: "x", content: "18446744073709551615 a=b\n" }, file("a")),
          "SeedRejected",
          "extended header is damaged"
        ],
        [rawTar(pax({ size: "18446744073709551615" }), file("a")), "SeedRejected", ""],
        [rawTar({ name: "skipped", type: "Z", size: 2 ** 33 - 1 }), "SeedRejected", "middle of an entry"]
      ]
      for (const [archive, tag, text] of cases) {
        const failure = yield* rejection(archive)
        assert.strictEqual(failure._tag, tag, failure.message)
        assert.include(failure.message, text)
      }
    }))

  it.live("a decompression bomb in an archive ends at the size of the disk", () =>
    Effect.gen(function*() {
      const zeros = (type: string) =>
        spawnSync("sh", ["-c", `{ cat; head -c ${400 * mib} /dev/zero; } | zstd -q -c`], {
          input: rawEntry({ name: "zeros", type, size: 400 * mib }),
          maxBuffer: 64 * mib
        }).stdout
      assert.strictEqual((yield* rejection(zeros("0")))._tag, "NoSpace")
      assert.include((yield* rejection(zeros("Z"))).message, "unpacks to more than 256 MiB")
    }))

  it.live("a flipped byte in an archive never crashes the reader or harms the image", () =>
    Effect.suspend(() => {
      const whole = rawTar(
        { name: "d", type: "5" },
        file("d/f", "x".repeat(600)),
        { name: "d/l", type: "2", link: "../f" },
        { name: "d/h", type: "1", link: "d/f" },
        pax({ path: "long/".repeat(30) + "name", mtime: "5.5" }),
        file("x"),
        gnuLong("gnu/".repeat(30) + "name"),
        file("y")
      )
      return survivesDamage(whole, 60, (copy, round) => {
        // A header's checksum covers it, so most harm is done where the checksum is made right again.
        const at = (round * 7919) % (whole.length - 1024)
        const header = Math.floor(at / 512) * 512
        flip(copy, at, round)
        copy.fill(" ", header + 148, header + 156)
        const sum = copy.subarray(header, header + 512).reduce((total, byte) => total + byte, 0)
        copy.write(`${sum.toString(8).padStart(6, "0")}\0 `, header + 148, "latin1")
      })
    }))
})
