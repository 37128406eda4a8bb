import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { dirname } from "node:path"
import { DiskListPayload, DiskReadPayload } from "../../src/contract/rows/workspace-disk.ts"
import { listDisk, readDisk } from "../../src/workspace/disk/look.ts"
import { scrubFiles } from "../../src/workspace/disk/scrub.ts"
import { guestFiles, guestLinks } from "../../src/workspace/residents/open/guest-files.ts"
import { withConfinedAgent } from "./agent.ts"
import { decoded, freshRoot, reasonOf } from "./fresh-root.ts"

/** A directory of the agent that stands for the root of a disk. */
const fresh = Effect.gen(function*() {
  const { channel, directory: root } = yield* freshRoot("inspected")
  const tree = { root: "/inspected", shown: "/" as const, inRoot: true as const, errors: "/sys/fs/ext4/none" }
  return {
    channel,
    root,
    list: (fields: object = {}) => listDisk(channel, tree, decoded(DiskListPayload(), fields)),
    read: (path: string, fields: object = {}) =>
      readDisk(channel, tree, decoded(DiskReadPayload(), { path, ...fields }))
  }
})

const certificate = (name: string) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(`0 ${name} 1`).toString("base64")}\n-----END CERTIFICATE-----\n`

withConfinedAgent("files of an inspected disk", (it) => {
  it.effect("disk list shows absolute paths, and names that are no text in quoted form", () =>
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

  it.effect("disk read follows absolute links beneath the disk's root, also through directories", () =>
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
      assert.deepStrictEqual([found.path, found.text, found.binary], ["/etc/os-release", "ID=debian\n", false])
      assert.notProperty(found, "version")
      assert.strictEqual((yield* read("/alias/lib/os-release")).text, "ID=debian\n")
      assert.deepStrictEqual((yield* list({ path: "/alias/lib" })).entries.map(({ path }) => path), [
        "/alias/lib/os-release",
        "/alias/lib/up"
      ])
      // As the workspace's programs see the path: the root's parent is the root.
      assert.strictEqual((yield* read("/usr/lib/up")).text, "the disk's own\n")
    }))

  it.effect("disk read refuses a loop of absolute links, a directory and a special path", () =>
    Effect.gen(function*() {
      const { list, read, root } = yield* fresh
      symlinkSync("/b", `${root}/a`)
      symlinkSync("/a", `${root}/b`)
      symlinkSync("/gone", `${root}/dangling`)
      execFileSync("mkfifo", [`${root}/pipe`])
      writeFileSync(`${root}/bytes`, Buffer.alloc(3_000, 0))
      assert.strictEqual(yield* reasonOf(read("/a")), "failed")
      assert.strictEqual(yield* reasonOf(read("/dangling")), "not_found")
      assert.strictEqual(yield* reasonOf(read("/")), "is_a_directory")
      assert.strictEqual(yield* reasonOf(read("/pipe")), "not_a_file")
      assert.deepStrictEqual((yield* list()).entries.find(({ path }) => path === "/pipe")?.type, "fifo")
      const { binary, text } = yield* read("/bytes")
      assert.deepStrictEqual([binary, text], [true, undefined])
      assert.strictEqual(yield* reasonOf(read("/a/..")), "is_a_directory")
    }))

  it.effect("a scrub takes out what pyro wrote into the root, and leaves the guest's own files", () =>
    Effect.gen(function*() {
      const { channel, root } = yield* fresh
      const layers = { changes: "/inspected/upper", environment: "/inspected/lower" }
      const inRoots = (path: string, upper: string, lower?: string) => {
        for (const [layer, content] of [["upper", upper], ["lower", lower]] as const) {
          if (content === undefined) continue
          mkdirSync(dirname(`${root}/${layer}${path}`), { recursive: true })
          writeFileSync(`${root}/${layer}${path}`, content, { mode: 0o640 })
        }
      }
      const upper = (path: string) => {
        const file = `${root}/upper${path}`
        return existsSync(file) ? readFileSync(file, "utf8") : undefined
      }
      const scrub = scrubFiles(channel, layers, { files: guestFiles, links: guestLinks })
      const bundle = "/etc/ssl/certs/ca-certificates.crt"
      const [pyro, other] = [certificate("pyro workspace 1f"), certificate("Other CA")]
      inRoots("/etc/resolv.conf", "nameserver 198.18.0.2\n", "nameserver 192.0.2.1\n")
      inRoots("/usr/local/share/ca-certificates/pyro-workspace.crt", pyro)
      inRoots(bundle, `${other}${pyro}`, other)
      symlinkSync(
        "/usr/local/share/ca-certificates/pyro-workspace.crt",
        `${root}/upper/etc/ssl/certs/pyro-workspace.pem`
      )
      symlinkSync("pyro-workspace.pem", `${root}/upper/etc/ssl/certs/5ad8a5d6.0`)
      symlinkSync("other.pem", `${root}/upper/etc/ssl/certs/mine.0`)
      yield* scrub
      assert.deepStrictEqual(
        ["/etc/resolv.conf", "/usr/local/share/ca-certificates/pyro-workspace.crt", bundle].map(upper),
        [undefined, undefined, undefined]
      )
      assert.deepStrictEqual(readdirSync(`${root}/upper/etc/ssl/certs`), ["mine.0"])
      assert.strictEqual(readFileSync(`${root}/lower/etc/resolv.conf`, "utf8"), "nameserver 192.0.2.1\n")

      // The guest has changed both files by itself.
      inRoots("/etc/resolv.conf", "nameserver 198.18.0.2\nnameserver 9.9.9.9\n")
      inRoots(bundle, `${pyro}${other}${pyro}# mine \xff\n`)
      yield* scrub
      assert.strictEqual(upper("/etc/resolv.conf"), "nameserver 198.18.0.2\nnameserver 9.9.9.9\n")
      assert.strictEqual(upper(bundle), `${other}# mine \xff\n`)
      assert.strictEqual(statSync(`${root}/upper${bundle}`).mode & 0o777, 0o640)

      // Links and special files in the places of pyro's files.
      rmSync(`${root}/upper/etc`, { recursive: true })
      inRoots("/elsewhere/resolv.conf", "nameserver 198.18.0.2\n")
      symlinkSync("elsewhere", `${root}/upper/etc`)
      mkdirSync(`${root}/upper/usr/local/share/ca-certificates/pyro-workspace.crt`)
      yield* scrub
      assert.strictEqual(readlinkSync(`${root}/upper/etc`), "elsewhere")
      assert.isTrue(statSync(`${root}/upper/usr/local/share/ca-certificates/pyro-workspace.crt`).isDirectory())
    }))

  it.effect("a directory of any depth is cleared, and a file or a link in place of the directory goes alone", () =>
    Effect.gen(function*() {
      const { channel: { call }, root } = yield* fresh
      const script = `
        mkdir tmp kept; echo kept > kept/file; cd tmp; ln -s ../kept link; mkfifo pipe; mkdir full; touch full/file
        mkdir pyro-1 pyro-2; touch pyro-0 pyro-2/file`
      // Neither a path nor the descriptors of a process reach the end of 2,200 levels.
      execFileSync("perl", [
        "-e",
        "chdir $ARGV[0]; system('sh', '-c', $ARGV[1]); chdir 'tmp'; for (1..2200) { mkdir 'd'; chdir 'd' or die }",
        root,
        script
      ])
      yield* call.clear({ path: "/inspected/tmp" })
      assert.deepStrictEqual(readdirSync(`${root}/tmp`), [])
      assert.strictEqual(readFileSync(`${root}/kept/file`, "utf8"), "kept\n")
      symlinkSync("kept", `${root}/link`)
      for (const name of ["link", "kept/file", "missing"]) yield* call.clear({ path: `/inspected/${name}` })
      assert.deepStrictEqual(readdirSync(root).sort(), ["kept", "tmp"])
      assert.deepStrictEqual(readdirSync(`${root}/kept`), [])
    }))
})
