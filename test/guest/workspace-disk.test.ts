import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll } from "vitest"
import {
  linkSeed,
  makeWorkspaceDisk,
  readWorkspaceDisk,
  type WorkspaceDisk
} from "../../src/lib/disk/workspace-disk.ts"
import { newGuestIdentity } from "../../src/lib/vm/model/guest-steps.ts"
import type { Guest, GuestImages, RestoredGuest } from "../../src/lib/vm/model/guest.ts"
import { endVm } from "../../src/lib/vm/model/sweep.ts"
import { Vmm } from "../../src/lib/vm/Vmm.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { linkBase, linkedBase } from "../../src/workspace/life/guest/base.ts"
import { basics, finish, guestServices, memoryMib, script } from "../support/guest.ts"
import { ownCache } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"
import { knownAccelerator } from "../support/run/accelerator.ts"

// One test makes templates that nobody else has a use for.
const cachePlace = temporaryFolder("pyro-disk-cache-")
Object.assign(process.env, knownAccelerator())
process.env["PYRO_CACHE_DIR"] = ownCache(cachePlace.folder, { templates: "common" })
afterAll(cachePlace.remove)

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-workspace-disk-"))),
  (folder) => Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))
)

const restore = (
  disk: WorkspaceDisk,
  { base, leaveUnmounted }: { readonly base?: GuestImages; readonly leaveUnmounted?: boolean } = {}
) =>
  Effect.gen(function*() {
    const { images, placeholder } = yield* basics
    return yield* (yield* Vmm).restore({
      ...disk,
      purpose: "workspace",
      images: base ?? images,
      vcpuCount: 1,
      memoryMib,
      placeholder,
      leaveUnmounted,
      dieWithParent: false
    })
  })

/** Runs a script as the first thing in a claimed guest; gives what it printed. */
const claim = ({ channel, isMounted, vm }: RestoredGuest, text: string) =>
  Effect.scoped(
    Effect.flatMap(channel.spawnAfter(vm.steps.claim(newGuestIdentity("test"), { isMounted }), script(text)), finish)
  ).pipe(Effect.map(({ exit, stderr, stdout }) => {
    assert.strictEqual(exit.code, 0, stderr)
    return stdout.trim()
  }))

const killQemu = ({ vm }: Guest) =>
  Effect.andThen(
    Effect.sync(() => process.kill(vm.process.pid, "SIGKILL")),
    Effect.flip(vm.health.failure)
  )

/** One image of the seed and all layers, as a guest would read it. */
const flatten = ({ layers, seed, top }: WorkspaceDisk, target: string) => {
  const chain = [...layers, top].reduce<unknown>(
    (backing, filename) => ({
      driver: "qcow2",
      "read-only": true,
      file: { driver: "file", filename, "read-only": true },
      backing
    }),
    { driver: "raw", "read-only": true, file: { driver: "file", filename: seed.path, "read-only": true } }
  )
  execFileSync("qemu-img", ["convert", "-U", "-O", "raw", `json:${JSON.stringify(chain)}`, target])
}

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("a disk that outlives its VMs", (it) => {
  const newDisk = Effect.gen(function*() {
    const folder = path.join(yield* temporary, "disk")
    const { placeholder } = yield* basics
    yield* linkSeed(folder, placeholder.path)
    yield* makeWorkspaceDisk(folder, placeholder.virtualBytes)
    return { folder, read: readWorkspaceDisk(folder, placeholder.virtualBytes), placeholder }
  })

  it.effect("a synced file and the file system survive a killed QEMU", () =>
    Effect.gen(function*() {
      const { folder, read } = yield* newDisk
      const digest = yield* Effect.scoped(Effect.gen(function*() {
        const guest = yield* restore(yield* read)
        const printed = yield* claim(
          guest,
          "head -c 20000000 /dev/urandom > /workspace/data; mkdir -p /usr/local/x; echo tool > /usr/local/x/tool; " +
            "sync /workspace/data /usr/local/x/tool; sha256sum < /workspace/data"
        )
        yield* killQemu(guest)
        return printed
      }))
      assert.deepStrictEqual(fs.readdirSync(folder).sort(), ["0.qcow2", "seed.ext4"])
      yield* Effect.scoped(Effect.gen(function*() {
        const guest = yield* restore(yield* read)
        const printed = yield* claim(
          guest,
          "sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum < /workspace/data; cat /usr/local/x/tool; rm -r /usr/local/x; sync"
        )
        assert.strictEqual(printed, `${digest}\ntool`)
        yield* killQemu(guest)
      }))
      const flat = path.join(folder, "..", "flat.ext4")
      flatten(yield* read, flat)
      // What the last VM had not written back is in the journal.
      execFileSync("e2fsck", ["-E", "journal_only", "-p", flat])
      execFileSync("e2fsck", ["-fn", flat])
    }))

  it.effect("a disk continues over frozen layers, which nothing writes", () =>
    Effect.gen(function*() {
      const { folder, placeholder, read } = yield* newDisk
      for (const number of [0, 1, 2]) {
        const disk = yield* read
        const printed = yield* Effect.scoped(
          Effect.flatMap(
            restore(disk),
            (guest) => claim(guest, `cat n* 2>/dev/null; echo ${number} > n${number}; sync`)
          )
        )
        assert.strictEqual(printed, [0, 1, 2].slice(0, number).join("\n"))
        yield* makeWorkspaceDisk(folder, placeholder.virtualBytes)
      }
      const { layers } = yield* read
      const before = layers.map((file) => fs.readFileSync(file))
      yield* Effect.scoped(
        Effect.flatMap(Effect.flatMap(read, (disk) => restore(disk)), (guest) => claim(guest, "rm n*; sync"))
      )
      layers.forEach((file, index) => assert.isTrue(fs.readFileSync(file).equals(before[index]!), file))
    }))

  it.effect("a waiting VM gets another disk, which remains when the VM is ended by its id", () =>
    Effect.gen(function*() {
      const { read } = yield* newDisk
      const other = yield* newDisk
      const guest = yield* restore(yield* read, { leaveUnmounted: true })
      yield* guest.vm.pause
      yield* guest.vm.disks.switchTo(yield* other.read)
      yield* guest.vm.resume
      assert.strictEqual(yield* claim(guest, "echo kept > f; sync; cat f"), "kept")
      yield* endVm(guest.vm.id)
      const again = yield* restore(yield* other.read)
      assert.strictEqual(yield* claim(again, "cat f"), "kept")
    }))

  it.effect("a disk works without cache and templates, from its held base", () =>
    Effect.gen(function*() {
      const { folder, read } = yield* newDisk
      const { images } = yield* basics
      const { cacheDir } = yield* Paths
      const base = path.join(folder, "..", "base")
      // Environment, kernel and agent from a cache of their own, which is then deleted.
      const evicted = path.join(folder, "..", "evicted")
      fs.mkdirSync(evicted)
      const gone = (file: string) => {
        const copy = path.join(evicted, path.basename(file))
        fs.copyFileSync(file, copy)
        return copy
      }
      yield* linkBase(base, {
        environment: { ...images.environment, imagePath: gone(images.environment.imagePath) },
        kernel: {
          digest: `${images.kernel.digest}-other`,
          vmlinux: gone(images.kernel.vmlinux),
          initrd: gone(images.kernel.initrd)
        }
      })
      fs.rmSync(evicted, { recursive: true })
      const held = yield* linkedBase(base)
      const templates = () => fs.readdirSync(path.join(cacheDir, "templates")).filter((name) => !name.includes("."))
      const before = new Set(templates())
      const run = (text: string) =>
        Effect.scoped(Effect.gen(function*() {
          return yield* claim(yield* restore(yield* read, { base: held }), text)
        }))
      yield* run("echo kept > f; sync")
      assert.strictEqual(templates().filter((name) => !before.has(name)).length, 1, "a template of its own was made")
      assert.strictEqual(yield* run("cat f"), "kept")
      fs.truncateSync(held.kernel.initrd, 10)
      assert.strictEqual((yield* Effect.flip(linkedBase(base)))._tag, "ImageDamaged")
    }))

  it.effect("a disk is refused while another VM writes it, or if its header has changed", () =>
    Effect.gen(function*() {
      const { read } = yield* newDisk
      const disk = yield* read
      yield* Effect.scoped(Effect.gen(function*() {
        yield* restore(disk)
        const failure = yield* Effect.flip(restore(disk))
        assert.deepStrictEqual([failure._tag, "step" in failure && failure.step], ["VmFailed", "disk"])
        assert.match(failure.message, /written by vm-/)
      }))
      const fd = fs.openSync(disk.top, "r+")
      fs.writeSync(fd, Buffer.from("/etc/shadow"), 0, 11, 4096)
      fs.closeSync(fd)
      assert.strictEqual((yield* Effect.flip(restore(disk)))._tag, "ImageDamaged")
    }))
})
