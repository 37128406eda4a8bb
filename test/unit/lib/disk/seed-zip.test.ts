import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { nativeDirectory } from "../../../../src/system/processes/native.ts"
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
import { temporaryDirectory } from "./temporary-directory.ts"
import { rawZip, type ZipEntry } from "./zip-bytes.ts"

const mib = 1024 * 1024

const file = (
  name: string | Uint8Array,
  content: string | Uint8Array = "x",
  more: Partial<ZipEntry> = {}
): ZipEntry => ({
  name,
  content,
  ...more
})

/** `dir/日本.txt`, `dir/run` (0755), `../up` and the link `link -> dir/run`, which libarchive's own writer packed. */
const SEVEN_ZIP = Buffer.from(
  "N3q8ryccAAOr6ajSugAAAAAAAAAiAAAAAAAAABXhNMAAOZlLMuk+CZtw4Sg/r4X3yzrhCB2i6FDpBGBbs4rTof//lBUAAAAAgTMHrg/QaX28nz9HQVz2" +
    "ZxwWBTX1snatDZg5y/5RAv/5chu60k0kFBZi/LMnTdWPyD9mcJNVVAs52T7fjsz25143NnhKNlCJMcI0uNPvnGeBs0KHFKoJw5BHS32lhoJx9pw2yRq7" +
    "ote7tIsmUp0qGYx0hDnuOyHWkcWn90D/JZVkdBSEO49CXUse49/u//dm5wAXBiYBCYCUAAcLAQABIwMBAQVdAACAAAyAxwoBH7syvgAA",
  "base64"
)

describe("seed images from zip archives", { concurrent: true }, () => {
  for (const level of [0, 9]) {
    it.live(`a seed from an archive of zip -${level} has the same tree`, () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const tree = sampleTree(directory, { long: true })
        const archive = path.join(directory, "tree.zip")
        execFileSync("zip", ["-q", "-r", "-y", `-${level}`, archive, "."], {
          cwd: tree,
          env: { ...process.env, TZ: "Asia/Tokyo" }
        })
        const { expected, seeded } = yield* listings(directory, tree, fs.readFileSync(archive))
        // A zip archive has no entry for its root.
        assert.deepStrictEqual(seeded.slice(1), expected.slice(1))
      }))
  }

  it.live("a seed from a 7z archive follows the same rules, with its Unicode names and modes", () =>
    Effect.gen(function*() {
      const { lines, skipped } = yield* contents(SEVEN_ZIP)
      assert.deepStrictEqual(lines.map((line) => Buffer.from(line, "latin1").toString()), [
        "d dir 755 1600000000",
        "f dir/run 755 1600000000 #!/bin/sh\n",
        "f dir/日本.txt 640 1600000000 seven\n",
        "l link -> dir/run"
      ])
      assert.deepStrictEqual(skipped.map(({ path }) => path), ["../up"])
    }))

  it.live("a seed leaves out and reports zip names that lead out of the archive", () =>
    leavesOut(rawZip(...EVIL_NAMES.map((name) => file(name, "evil")), file("good")), EVIL_NAMES))

  it.live("a seeded zip archive writes nothing through a symlink or a file", () =>
    Effect.gen(function*() {
      const { names, skipped } = yield* contents(rawZip(
        file("etc", "/etc", { mode: 0o120777 }),
        file("etc/passwd", "evil"),
        file("plain"),
        file("plain/below", "evil"),
        file("up", "../../..", { mode: 0o120777 }),
        file("empty-link", "", { mode: 0o120777 })
      ))
      assert.deepStrictEqual(names, ["l etc", "f plain", "l up"])
      assert.deepStrictEqual(skipped.map(({ path }) => path), ["etc/passwd", "plain/below", "empty-link"])
    }))

  it.live("a seed leaves out devices and sockets of a zip archive", () =>
    Effect.gen(function*() {
      const { names, skipped } = yield* contents(rawZip(
        file("char", "x", { mode: 0o020666 }),
        file("block", "x", { mode: 0o060666 }),
        file("socket", "", { mode: 0o140666 }),
        file("good")
      ))
      assert.deepStrictEqual(names, ["f good"])
      assert.strictEqual(skipped.length, 3)
    }))

  it.live("a seed keeps Unix modes of a zip archive without setuid, and makes MS-DOS files readable", () =>
    Effect.gen(function*() {
      const { lines } = yield* contents(rawZip(
        file("a-tool", "", { mode: 0o104751 }),
        file("b-secret", "", { mode: 0o100600 }),
        file("c-dos", "", { system: 0 }),
        file("d-dir/", "", { mode: 0o040711 })
      ))
      assert.deepStrictEqual(lines.map((line) => line.split(" ", 4).join(" ")), [
        "f a-tool 751 1600000000",
        "f b-secret 600 1600000000",
        "f c-dos 664 1600000000",
        "d d-dir 711 1600000000"
      ])
    }))

  it.live("a seed keeps zip names of any bytes, and takes backslashes of MS-DOS as separators", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const { image, report } = yield* seed(
        directory,
        rawZip(
          file(Buffer.from("b\xff\n", "latin1")),
          file("日本", "x", { flags: 1 << 11 }),
          file("dos\\file", "x", { system: 0 }),
          file("__proto__")
        )
      )
      assert.deepStrictEqual(report.skipped, [])
      assert.strictEqual(fsckComplaint(image.path), "")
      const names = fs.readdirSync(dump(image.path, path.join(directory, "dump")), { encoding: "latin1" })
      assert.sameMembers(names, [
        "__proto__",
        "b\xff\n",
        "dos",
        Buffer.from("日本").toString("latin1")
      ])
      assert.strictEqual(debugfs(image.path, "cat /workspace/dos/file"), "x")
    }).pipe(Effect.scoped))

  it.live("a zip name that claims to be UTF-8 and is not is refused", () =>
    Effect.gen(function*() {
      const failure = yield* rejection(rawZip(file(Buffer.from("bad\xff", "latin1"), "x", { flags: 1 << 11 })))
      assert.include(failure.message, "the name of an entry is not the Unicode that the archive says it is")
    }))

  it.live("an encrypted zip entry is refused by name", () =>
    Effect.gen(function*() {
      const failure = yield* rejection(rawZip(file("plain"), file("secret.txt", "0123456789abcdef", { flags: 1 })))
      assert.strictEqual(failure._tag, "SeedRejected")
      assert.include(failure.message, "secret.txt is encrypted")
    }))

  it.live("a bomb in a zip archive ends at the size of the disk, and at the stated size of its entry", () =>
    Effect.gen(function*() {
      const zeros = Buffer.alloc(100 * mib)
      const honest = yield* rejection(rawZip(file("zeros", zeros, { deflated: true })))
      assert.strictEqual(honest._tag, "NoSpace")
      const lying = yield* rejection(rawZip(file("zeros", zeros, { deflated: true, size: 10 })))
      assert.strictEqual(lying._tag, "SeedRejected")
      const short = yield* rejection(rawZip(file("zeros", zeros.subarray(0, 100), { deflated: true, size: 5000 })))
      assert.strictEqual(short._tag, "SeedRejected")
      const overlapping = yield* rejection(
        rawZip(
          ...Array.from({ length: 30 }, (_, at) => file(`zeros${at}`, zeros.subarray(0, 4 * mib), { deflated: true }))
        )
      )
      assert.strictEqual(overlapping._tag, "NoSpace")
    }))

  it.live("a zip archive with more entries than the disk has room for is refused", () =>
    Effect.gen(function*() {
      const entries = Array.from({ length: 20_000 }, (_, at) => file(`f${at}`, ""))
      const failure = yield* rejection(rawZip(...entries), 16)
      assert.include(failure.message, "no room for more")
    }))

  it.live("a zip entry with a wrong checksum is refused", () =>
    Effect.gen(function*() {
      for (const deflated of [false, true]) {
        const failure = yield* rejection(rawZip(file("bad", "content", { deflated, crc: 1 })))
        assert.strictEqual(failure._tag, "SeedRejected")
        assert.include(failure.message, "bad")
      }
    }))

  it.live("a zip archive that is cut anywhere is refused and leaves nothing", () =>
    Effect.suspend(() => {
      const entries = [file("one", "1".repeat(900)), file("dir/", "", { mode: 0o040755 }), file("two", "2".repeat(100))]
      const whole = rawZip(...entries)
      return refusedAt(whole, steps(4, whole.length, 97))
    }))

  it.live("a flipped byte in a zip or 7z archive never crashes the reader or harms the image", () =>
    Effect.forEach(
      [rawZip(file("d/f", "x".repeat(600), { deflated: true }), file("l", "d/f", { mode: 0o120777 })), SEVEN_ZIP],
      (whole) => survivesDamage(whole, 40, (copy, round) => flip(copy, 6 + (round * 7919) % (whole.length - 6), round))
    ))
})

describe("the reader of zip archives", () => {
  it.live("the reader of zip archives runs under a system call filter, and its memory cannot be inspected", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const archive = path.join(directory, "large.zip")
      fs.writeFileSync(archive, rawZip(file("large", Buffer.alloc(8 * mib))))
      const input = fs.openSync(archive, "r")
      // Nobody reads its output before the pipe is full, so it stands still in the middle of the archive.
      const reader = spawn(path.join(nativeDirectory(), "pyro-unpack"), { stdio: [input, "pipe", "inherit"] })
      fs.closeSync(input)
      const first = yield* Effect.callback<unknown>((resume) => {
        reader.stdout?.once("readable", () => resume(Effect.void))
      }).pipe(Effect.andThen(Effect.sync(() => fs.readFileSync(`/proc/${reader.pid}/status`, "utf8"))))
      reader.kill("SIGKILL")
      assert.match(String(first), /^Seccomp:\t2$/m)
      assert.match(String(first), /^NoNewPrivs:\t1$/m)
    }))

  /** Runs pyro-seed beside another program in the reader's place. */
  const withReader = (script: string) =>
    Effect.map(temporaryDirectory, (directory) => {
      const native = path.join(directory, "native")
      fs.mkdirSync(native)
      fs.copyFileSync(path.join(nativeDirectory(), "pyro-seed"), path.join(native, "pyro-seed"))
      if (script !== "") fs.writeFileSync(path.join(native, "pyro-unpack"), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      const archive = path.join(directory, "x.zip")
      fs.writeFileSync(archive, rawZip(file("x")))
      const args = ["--into", directory, "--virtual-bytes", String(64 * mib), "--archive", archive]
      return spawnSync(path.join(native, "pyro-seed"), args, { encoding: "utf8" })
    })

  it.live("a zip archive is refused if libarchive is missing, which the error names", () =>
    Effect.gen(function*() {
      for (const script of ["", "exit 127"]) {
        const { status, stdout } = yield* withReader(script)
        assert.strictEqual(status, 6)
        assert.include(stdout, "error\0tool-missing\0libarchive\0")
      }
    }))

  it.live("the reader of zip archives has limits of processor time and memory, and no environment", () =>
    Effect.gen(function*() {
      const { stderr } = yield* withReader("ulimit -t >&2; ulimit -v >&2; env >&2; exit 1")
      const [seconds, kib, ...environment] = stderr.split("\n")
      assert.strictEqual(seconds, String(60 + 64))
      assert.strictEqual(kib, String(2 * mib))
      assert.notInclude(environment.join("\n"), "HOME=")
    }))

  it.live("the reader of zip archives ends at its limit of processor time, and the archive is refused", () =>
    Effect.gen(function*() {
      const { status, stdout } = yield* withReader("kill -XCPU $$")
      assert.strictEqual(status, 5)
      assert.include(stdout, "needs too much processor time")
    }))
})
