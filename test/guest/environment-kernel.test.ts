import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { packDriver, processesOf, startDriver, until } from "../support/environment/process.ts"

const root = process.getuid!() === 0
const withoutNetwork = root ? ["unshare", "--net"] : []
let pack: Awaited<ReturnType<typeof packDriver>>
let home = ""
let native = ""

interface Kernel {
  readonly version: string
  readonly digest: string
  readonly vmlinux: string
  readonly initrd: string
}

beforeAll(async () => {
  pack = await packDriver()
  home = path.join(pack.home, "home")
  native = path.join(pack.home, "native")
  fs.mkdirSync(home)
  fs.mkdirSync(native)
  fs.writeFileSync(path.join(native, "agent"), "the first agent")
})

afterAll(() => pack.remove())

const start = (verb: string, prefix: ReadonlyArray<string> = []) =>
  startDriver({ program: pack.program, home, words: [verb], prefix, env: { PYRO_NATIVE_DIR: native } })

const ensure = async (prefix: ReadonlyArray<string> = []) => {
  const { error, ok } = await start("kernel", prefix).ended
  assert.isUndefined(error, error?.message)
  return ok as unknown as Kernel
}

const leftovers = () => fs.readdirSync(path.join(home, "cache", "kernels", "tmp")).filter((entry) => entry !== ".lock")

/** What lz4 made of an initramfs, unpacked: blocks with their lengths behind a mark; zeros fill the rest of the last page. */
const archive = (initrd: string) => {
  const image = fs.readFileSync(initrd)
  let end = 4
  while (image.readUInt32LE(end) !== 0) end += 4 + image.readUInt32LE(end)
  assert.isTrue(image.subarray(end).every((byte) => byte === 0))
  return execFileSync("lz4", ["-dc"], { input: image.subarray(0, end), maxBuffer: 2 ** 26 })
}

const unpacked = (initrd: string, ...args: Array<string>) =>
  execFileSync("cpio", ["--quiet", ...args], {
    maxBuffer: 2 ** 26,
    input: archive(initrd)
  }).toString()

describe("the guest kernel", { concurrent: false }, () => {
  it("killing the unpacking of a kernel leaves no process, and gc removes its files", async () => {
    const driver = start("kernel")
    await driver.reaches("unpacking the kernel")
    await driver.kill()
    await until("its tools are gone", () => processesOf(home).length === 0)
    assert.isAbove(leftovers().length, 0)
    assert.isUndefined((await start("sweep").ended).error)
    assert.deepStrictEqual(leftovers(), [])
  })

  it("the kernel comes from the cached package, with an initramfs that loads its modules", async () => {
    const kernel = await ensure(withoutNetwork)
    assert.strictEqual(fs.readFileSync(kernel.vmlinux).toString("latin1", 1, 4), "ELF")
    assert.include(execFileSync("readelf", ["--notes", "--wide", kernel.vmlinux], { encoding: "utf8" }), "Xen")
    assert.include(unpacked(kernel.initrd, "--list", "--verbose"), "5,   1 Jan  1  1970 dev/console")
    assert.strictEqual(unpacked(kernel.initrd, "--extract", "--to-stdout", "init"), "the first agent")
    const order = unpacked(kernel.initrd, "--extract", "--to-stdout", "modules/order").trim().split("\n")
    assert.includeMembers(order, ["virtio_mmio.ko", "virtio_blk.ko", "erofs.ko", "overlay.ko", "virtio_console.ko"])
    const folder = path.join(pack.home, "unpacked")
    fs.mkdirSync(folder)
    unpacked(
      kernel.initrd,
      "--extract",
      "--make-directories",
      "--no-preserve-owner",
      "--directory",
      folder,
      "modules/*"
    )
    order.forEach((name, at) => {
      const depends = execFileSync("/usr/sbin/modinfo", ["-F", "depends", path.join(folder, "modules", name)], {
        encoding: "utf8"
      })
      for (const other of depends.trim().split(",").filter((one) => one !== "")) {
        assert.include(order.slice(0, at), `${other}.ko`, `${name} needs it first`)
      }
    })
    assert.deepStrictEqual(leftovers(), [])
  })

  it("a damaged or missing kernel file is repaired without the network", async () => {
    const kernel = await ensure()
    const damages = [
      () => fs.truncateSync(kernel.vmlinux, 1_000_000),
      () => fs.rmSync(kernel.initrd),
      () => fs.writeFileSync(kernel.initrd, Buffer.alloc(fs.statSync(kernel.initrd).size)),
      () => fs.rmSync(path.dirname(kernel.vmlinux), { recursive: true })
    ]
    for (const damage of damages) {
      for (const file of [kernel.vmlinux, kernel.initrd]) fs.chmodSync(file, 0o644)
      damage()
      assert.deepStrictEqual(await ensure(withoutNetwork), kernel)
      assert.isAbove(archive(kernel.initrd).length, 1_000_000)
      assert.isAbove(fs.statSync(kernel.vmlinux).size, 10_000_000)
    }
  })

  it("another agent changes the kernel's digest and initramfs, and prune removes the old one", async () => {
    const before = await ensure()
    fs.writeFileSync(path.join(native, "agent"), "the second agent")
    const after = await ensure()
    assert.strictEqual(after.vmlinux, before.vmlinux)
    assert.notStrictEqual(after.initrd, before.initrd)
    assert.notStrictEqual(after.digest, before.digest)
    assert.isUndefined((await start("prune").ended).error)
    assert.isFalse(fs.existsSync(before.initrd))
    assert.isTrue(fs.existsSync(after.initrd))
  })
})
