import { Effect, Layer, Stream } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { ensureImages } from "../../src/building/environments.ts"
import { services } from "../../src/daemon/app/services.ts"
import { SeedImages } from "../../src/lib/disk/SeedImages.ts"
import {
  type DiskSource,
  layerCount,
  linkSeed,
  makeWorkspaceDisk,
  readWorkspaceDisk,
  type Seed,
  shareLayers
} from "../../src/lib/disk/workspace-disk.ts"
import type { GuestProcess, SpawnRequest } from "../../src/lib/guest-channel/model/process.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { acquireWorkspace } from "../../src/workspace/life/guest/boot.ts"
import { driverOf, layerFormatOf } from "../../src/workspace/life/guest/driver.ts"
import { guestEnvironment } from "../../src/workspace/residents/program/command.ts"

/** Environment that the guest tests run in; set up before them. */
export const testEnvironment = "debian:12"

/** Those of `smallSizes`, so that one template serves nearly all guest tests. */
export const diskMib = 512
export const memoryMib = 256

/**
 * The real services with a state directory of their own, removed afterwards. Environments, kernel and templates come from the cache
 * that the set-up has filled.
 */
export const guestServices = Layer.unwrap(Effect.gen(function*() {
  const state = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-guest-test-"))),
    (folder) => Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))
  )
  process.env["PYRO_STATE_DIR"] = state
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(
      Effect.orDie(Paths),
      ({ memoryDir }) => Effect.sync(() => fs.rmSync(memoryDir, { recursive: true, force: true }))
    ).pipe(
      Effect.provide(Paths.layer),
      Effect.orDie
    )
  )
  return services
}))

/** Images and the empty seed that nearly every guest test starts from. */
export const basics = Effect.gen(function*() {
  const images = yield* ensureImages(testEnvironment, () => {})
  const placeholder = yield* (yield* SeedImages).empty(diskMib)
  return { images, placeholder }
})

/** A workspace's disk on the empty seed, in a folder of its own: it outlives its VMs. */
export const makeTestDisk = (folder: string) =>
  Effect.gen(function*() {
    const { path: seed, virtualBytes } = (yield* basics).placeholder
    const driver = yield* driverOf({})
    yield* linkSeed(folder, seed)
    const top = yield* makeWorkspaceDisk(
      folder,
      virtualBytes,
      layerFormatOf(driver === "firecracker" ? { driver } : {})
    )
    /** Puts an empty layer on top, for a capture. `copyTo` makes disks of the layers below it. */
    const freeze = Effect.gen(function*() {
      const layers = yield* layerCount(folder)
      const copyTo = (other: string) =>
        shareLayers(folder, other, layers).pipe(
          Effect.andThen(makeWorkspaceDisk(other, virtualBytes)),
          Effect.andThen(readWorkspaceDisk(other, virtualBytes))
        )
      return { top: yield* makeWorkspaceDisk(folder, virtualBytes), copyTo }
    })
    return { top, freeze }
  })

/** A workspace on the driver of `PYRO_DRIVER`. */
export const acquireTestWorkspace = (
  options: { readonly hostname?: string; readonly seed?: Seed } & Pick<DiskSource, "top"> = {}
) =>
  Effect.flatMap(Effect.all([basics, driverOf({})]), ([{ images, placeholder }, driver]) =>
    acquireWorkspace({
      purpose: "run",
      driver,
      images,
      top: options.top,
      vcpuCount: 1,
      memoryMib,
      seed: options.seed ?? placeholder,
      placeholder,
      hostname: options.hostname ?? "test",
      dieWithParent: true
    }))

export const script = (text: string): SpawnRequest => ({
  argv: ["/bin/sh", "-c", text],
  env: guestEnvironment({ env: {}, tty: false }),
  cwd: "/workspace"
})

/** Everything a process prints to stdout, and how it ended. */
export const finish = (process: GuestProcess) =>
  Effect.gen(function*() {
    const pieces = yield* Stream.runCollect(process.output)
    const of = (from: "stdout" | "stderr") =>
      Buffer.concat(pieces.filter((piece) => piece.from === from).map(({ bytes }) => bytes))
        .toString("utf8")
    return { stdout: of("stdout"), stderr: of("stderr"), exit: yield* process.exit }
  })
