import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { demandDiskRoom, tendDisk } from "../../../../src/daemon/app/disk/budget.ts"
import { diskUsage } from "../../../../src/daemon/app/disk/usage.ts"
import { SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { ProcessVariables } from "../../../../src/system/settings/config.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

const mib = 1024 * 1024

/** A cache with a template of 3 MiB, a seed of 2 MiB and an environment, and a workspace that holds a second seed. */
const installation = (settings: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const root = yield* temporaryDirectory
    const [stateDir, cacheDir] = [path.join(root, "state"), path.join(root, "cache")]
    const write = (file: string, sizeMib: number, usedHoursAgo: number) => {
      fs.mkdirSync(path.dirname(file), { recursive: true })
      fs.writeFileSync(file, Buffer.alloc(sizeMib * mib, 7))
      const seconds = Date.now() / 1000 - usedHoursAgo * 3600
      fs.utimesSync(file, seconds, seconds)
      fs.utimesSync(path.dirname(file), seconds, seconds)
      return file
    }
    const template = path.dirname(write(path.join(cacheDir, "templates", "old", "mem"), 3, 48))
    const recent = path.dirname(write(path.join(cacheDir, "templates", "recent", "mem"), 3, 0))
    const packages = path.dirname(write(path.join(cacheDir, "packages", "one.deb"), 2, 24))
    const download = write(path.join(cacheDir, "downloads", "0a", "0a".repeat(32)), 1, 30)
    const environment = write(path.join(cacheDir, "environments", "0".repeat(64), "root.erofs"), 2, 96)
    const held = write(path.join(cacheDir, "seeds", `${"1".repeat(64)}.ext4`), 2, 96)
    const disk = path.join(stateDir, "workspaces", "ws-0123456789", "disk-0")
    write(path.join(disk, "0.qcow2"), 1, 0)
    fs.linkSync(held, path.join(disk, "seed.ext4"))
    const paths = Paths.of({ stateDir, cacheDir, memoryDir: path.join(root, "memory") } as Paths["Service"])
    const services = SeedImages.layer.pipe(Layer.provideMerge(Layer.succeed(Paths, paths)))
    const here = <A, E, R>(work: Effect.Effect<A, E, R | Paths | SeedImages>) =>
      work.pipe(
        Effect.provide(services),
        Effect.provideService(ProcessVariables, settings)
      )
    return { here, template, recent, packages, download, environment, held }
  })

describe("the disk budget", () => {
  it.live("usage counts a shared file once, and as evictable only if no workspace holds it", () =>
    Effect.gen(function*() {
      const { here } = yield* installation({})
      const { budgetBytes, evictableBytes, uses, usedBytes, workspaces } = yield* here(diskUsage)
      const of = (what: string) => Math.floor((uses.find((one) => one.what === what)?.bytes ?? 0) / mib)
      assert.deepStrictEqual(["templates", "packages", "downloads", "environments", "seeds", "workspaces"].map(of), [
        6,
        2,
        1,
        2,
        2,
        1
      ])
      assert.strictEqual(Math.floor(usedBytes / mib), 14)
      assert.strictEqual(Math.floor(evictableBytes / mib), 9)
      assert.isUndefined(budgetBytes)
      assert.deepStrictEqual(workspaces.map(({ bytes, workspace }) => [workspace, Math.floor(bytes / mib)]), [
        ["ws-0123456789", 1]
      ])
    }))

  it.live("an eviction takes the least recently used cache first, and ends when the budget holds", () =>
    Effect.gen(function*() {
      const { environment, held, here, packages, recent, template } = yield* installation({
        PYRO_DISK_BUDGET_MIB: "12"
      })
      const evicted = yield* here(tendDisk)
      assert.deepStrictEqual(evicted.map(({ kind, what }) => [kind, what]), [["evicted template", "old"]])
      assert.isFalse(fs.existsSync(template))
      for (const kept of [environment, held, packages, recent]) assert.isTrue(fs.existsSync(kept), kept)
      assert.deepStrictEqual(yield* here(tendDisk), [])
      yield* here(demandDiskRoom)
    }))

  it.live("a budget that no eviction can keep refuses new work, and caches in use stay", () =>
    Effect.gen(function*() {
      const { download, environment, here, packages, recent } = yield* installation({ PYRO_DISK_BUDGET_MIB: "2" })
      const failure = yield* Effect.flip(here(demandDiskRoom))
      assert.strictEqual(failure._tag, "NoSpace")
      assert.include(failure.message, "PYRO_DISK_BUDGET_MIB")
      for (const gone of [download, packages]) assert.isFalse(fs.existsSync(gone), gone)
      for (const kept of [environment, recent]) assert.isTrue(fs.existsSync(kept), kept)
    }))

  it.live("a host without the reserve refuses new work early and says how much is missing", () =>
    Effect.gen(function*() {
      const { here } = yield* installation({ PYRO_DISK_RESERVE_MIB: "1073741824" })
      const failure = yield* Effect.flip(here(demandDiskRoom))
      assert.strictEqual(failure._tag, "NoSpace")
      assert.include(failure.message, "1073741824 MiB needed")
    }))
})
