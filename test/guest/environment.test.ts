import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import {
  onSmallDisk,
  type Outcome,
  packDriver,
  processesOf,
  startDriver,
  until
} from "../support/environment/process.ts"

const root = process.getuid!() === 0
const name = "debian:12-base"
let pack: Awaited<ReturnType<typeof packDriver>>
/** Folder whose cache the tests share, in the order in which they stand. */
let home = ""
let built: { readonly digest: string; readonly imagePath: string }

beforeAll(async () => {
  pack = await packDriver()
  home = path.join(pack.home, "first home")
  fs.mkdirSync(home)
})

afterAll(() => pack.remove())

const start = (words: ReadonlyArray<string>, options: Partial<Parameters<typeof startDriver>[0]> = {}) =>
  startDriver({ program: pack.program, home, words, ...options })

const succeeded = (outcome: Outcome) => {
  assert.isUndefined(outcome.error, outcome.error?.message)
  return outcome.ok as unknown as typeof built
}

/** What builds leave in the cache beside finished images: nothing, when all went well. */
const leftovers = (folder = home) => {
  const temporary = path.join(folder, "cache", "environments", "tmp")
  return fs.existsSync(temporary) ? fs.readdirSync(temporary).filter((entry) => entry !== ".lock") : []
}

/** Digests of the finished images of a cache. */
const imagesIn = (folder: string) =>
  fs.readdirSync(path.join(folder, "cache", "environments")).filter((entry) => /^[0-9a-f]{64}$/.test(entry))

/** Owner, group and mode of a file in the image. dump.erofs prints no more than the permission bits of a mode. */
const inImage = (file: string) => {
  const text = execFileSync("dump.erofs", [`--path=${file}`, built.imagePath], { encoding: "utf8" })
  const number = (label: string) => Number(new RegExp(`${label}: (\\d+)`).exec(text)?.[1])
  const inode = Buffer.alloc(8)
  const image = fs.openSync(built.imagePath, "r")
  fs.readSync(image, inode, 0, inode.length, number("NID") * 32) // as struct erofs_inode_compact has it: 32 bytes a slot
  fs.closeSync(image)
  return { uid: number("Uid"), gid: number("Gid"), mode: inode.readUInt16LE(4), text }
}

describe("an environment", { concurrent: false }, () => {
  it("two concurrent requests build an environment once", async () => {
    const both = [start(["ensure", name]), start(["ensure", name])]
    const [one, other] = await Promise.all(both.map(({ ended }) => ended))
    built = succeeded(one!)
    assert.deepStrictEqual(succeeded(other!), built)
    const builds = [one!, other!].filter(({ steps }) => steps.includes("unpacking the base system"))
    assert.lengthOf(builds, 1)
    assert.deepStrictEqual(leftovers(), [])
    assert.deepStrictEqual(processesOf(pack.home), [])
  })

  it("the image has the right owners, modes and times", () => {
    execFileSync("fsck.erofs", [built.imagePath])
    const expected = [
      ["/home/agent", 1000, 1000, 0o40755],
      ["/usr/bin/sudo", 0, 0, 0o104755],
      ["/etc/sudoers.d/agent", 0, 0, 0o100440],
      ["/etc/shadow", 0, 42, 0o100640],
      ["/workspace", 0, 0, 0o40755],
      ["/tmp", 0, 0, 0o41777]
    ] as const
    for (const [file, uid, gid, mode] of expected) {
      const found = inImage(file)
      assert.deepStrictEqual([file, found.uid, found.gid, found.mode], [file, uid, gid, mode])
    }
    // Times are those of the packages: compiled Python modules are told from stale ones by them.
    assert.notInclude(inImage("/usr/bin/sudo").text, new Date().toISOString().slice(0, 10))
    assert.strictEqual(fs.statSync(built.imagePath).mode & 0o777, 0o444)
  })

  it("a truncated image is found damaged, and a full read finds one changed byte", async () => {
    const whole = await start(["verify", name]).ended
    assert.isUndefined(whole.error)
    const { atime, mtime } = fs.statSync(built.imagePath)
    fs.chmodSync(built.imagePath, 0o644)
    const file = fs.openSync(built.imagePath, "r+")
    fs.writeSync(file, Buffer.from([0x5a]), 0, 1, 50_000_000)
    fs.closeSync(file)
    fs.utimesSync(built.imagePath, atime, mtime)
    assert.strictEqual((await start(["verify", name]).ended).error?.tag, "ImageDamaged")
    fs.truncateSync(built.imagePath, 40_000_000)
    const short = await start(["resolve", name]).ended
    assert.strictEqual(short.error?.tag, "ImageDamaged")
    assert.include(short.error?.message, "40000000 bytes")
  })

  // The image is damaged by now, so each of these sets out to build it again. `npm run test:images` kills one as it writes the image.
  for (const step of ["fetching package lists", "unpacking the base system"]) {
    it(`a build that is killed while ${step} leaves no process and no partial image`, async () => {
      const driver = start(["ensure", name])
      await driver.reaches(step)
      await driver.kill()
      await until("the build is gone", () => processesOf(home).length === 0)
      assert.notInclude(fs.readFileSync("/proc/self/mountinfo", "utf8"), "pyro-build")
      assert.deepStrictEqual(imagesIn(home), [built.digest])
      assert.isAbove(leftovers().length, 0)
    })
  }

  it("a rebuild after damage and killed builds gives the same image and removes leftovers", async () => {
    const rebuilt = succeeded(await start(["ensure", name]).ended)
    assert.strictEqual(rebuilt.digest, built.digest)
    assert.deepStrictEqual(leftovers(), [])
    assert.isUndefined((await start(["verify", name]).ended).error)
  })

  it("an existing environment is used without the network", async () => {
    const prefix = root ? ["unshare", "--net"] : []
    assert.strictEqual(succeeded(await start(["ensure", name], { prefix }).ended).digest, built.digest)
  })

  it.skipIf(!root)("a build without a network shows apt's message", async () => {
    const { error } = await start(["ensure", "debian:12"], { prefix: ["unshare", "--net"] }).ended
    assert.strictEqual(error?.tag, "EnvironmentBuildFailed")
    assert.match(error?.message ?? "", /resolv|connect|fetch/i)
    assert.isBelow(error?.message.length ?? 0, 900)
    assert.deepStrictEqual(leftovers(), [])
  })

  it("a build without mmdebstrap names the package to install", async () => {
    const farm = path.join(pack.home, "tools")
    fs.mkdirSync(farm)
    for (const tool of fs.readdirSync("/usr/bin").filter((tool) => tool !== "mmdebstrap")) {
      fs.symlinkSync(path.join("/usr/bin", tool), path.join(farm, tool))
    }
    const { error } = await start(["ensure", "debian:12"], { env: { PATH: farm } }).ended
    assert.deepInclude(error?.fields, { _tag: "HostToolMissing", tool: "mmdebstrap", package: "mmdebstrap" })
  })

  it("an unknown environment is refused by name", async () => {
    const { error } = await start(["ensure", "debian:11"]).ended
    assert.strictEqual(error?.tag, "EnvironmentUnknown")
  })
})

// test/images/environment-space.test.ts fills a disk during a build.
describe.skipIf(!root)("a full disk", () => {
  it("a full disk is detected before a build", async () => {
    const { error, steps } = await onSmallDisk(pack.program, path.join(pack.home, "tiny"), 250, ["ensure", name]).ended
    assert.strictEqual(error?.tag, "NoSpace")
    assert.notInclude(steps, "unpacking the base system")
  })
})

describe("environments that are no longer wanted", { concurrent: false }, () => {
  it("rm removes an environment, and prune removes everything without a name", async () => {
    const cache = path.join(home, "cache")
    const stray = path.join(cache, "environments", "0".repeat(64))
    fs.mkdirSync(stray)
    fs.writeFileSync(path.join(stray, "root.erofs"), Buffer.alloc(1_000_000))
    const pruned = (await start(["prune"]).ended).ok as unknown as { removed: Array<string>; freedBytes: number }
    assert.deepStrictEqual(pruned.removed, ["0".repeat(64)])
    assert.isAtLeast(pruned.freedBytes, 1_000_000)
    assert.isTrue(fs.existsSync(built.imagePath))
    const removed = (await start(["remove", name]).ended).ok as unknown as {
      removed: Array<string>
      freedBytes: number
    }
    assert.deepStrictEqual(removed.removed, [name, built.digest])
    assert.isAtLeast(removed.freedBytes, 100_000_000)
    assert.isFalse(fs.existsSync(built.imagePath))
    const listed = (await start(["list"]).ended).ok as unknown as Array<{ name: string; state: string }>
    assert.strictEqual(listed.find((one) => one.name === name)?.state, "absent")
  })
})
