import { Effect, Stream } from "effect"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { ResultDisk } from "../../lib/disk/result-disk.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { setting } from "../../system/settings/config.ts"
import { driverOf } from "../../workspace/life/guest/driver.ts"
import { acquireBuilder, STARTED } from "./acquire.ts"
import { buildFailed } from "./build-failed.ts"
import { type Building, failed, giveSteps, takeResult, takeSteps } from "./files.ts"
import { counting, giveFile } from "./give-file.ts"
import { modulesFile } from "./modules.ts"
import { imageDisk, RESULT_DEVICE, takeImage } from "./result.ts"
import { runRecipe } from "./run-recipe.ts"

/** Completed share of the work when the builder has its files. */
const UPLOADED = 0.5

/** Builders with secrets give their image through the channel, which looks for the secrets in it. */
export const hasResultDisk = ({ secrets = {} }: Pick<Building, "secrets">) =>
  Effect.map(driverOf({}), (driver) => driver === "qemu" && Object.keys(secrets).length === 0)

/** An image that begins with an environment has the modules of that environment. */
const beginsWithModules = ({ request }: Building) => !("commit" in request || "added" in request)

/** The disk for the image, and the request that names it. */
const acquireResult = (pyro: PyroService, building: Building) =>
  Effect.gen(function*() {
    const { base, request } = building
    if (!(yield* hasResultDisk(building))) return { result: undefined, request }
    const hasModules = base === undefined && beginsWithModules(building)
    const result = yield* imageDisk(hasModules ? yield* modulesFile(pyro, building) : base)
    const has = base === undefined ? { hasModules } : { hasModules, hasBase: true }
    return { result, request: { ...request, result: { device: RESULT_DEVICE, ...has } } }
  })

/**
 * Makes a file system of an image in a builder microVM, and writes it to `file`. The builder has a network to the registry alone, and is
 * deleted afterwards.
 */
export const buildInMicroVm = (pyro: PyroService, building: Building) =>
  Effect.scoped(Effect.gen(function*() {
    const { result, request } = yield* acquireResult(pyro, building)
    const made = yield* runBuilder(pyro, { ...building, request }, result)
    if (result !== undefined) yield* takeImage(result, made.sizeBytes, building)
    return made
  })).pipe(
    Effect.catchTags({
      FileFailed: (failure) => Effect.fail(toHostErrorOf(building.file)(failure)),
      LockTimeout: () =>
        failed(building.reference, "modules", "another pyro did not make the kernel's modules in time"),
      ToolFailed: ({ message }) => failed(building.reference, "builder", message)
    })
  )

/** Runs a builder to its end. Without a disk for the result, takes the result through the channel. */
const runBuilder = (pyro: PyroService, building: Building, result: ResultDisk | undefined) =>
  Effect.scoped(Effect.gen(function*() {
    const { onProgress, registries = [], uploads = {} } = building
    const request = registries.length === 0
      ? building.request
      : { ...building.request, stallSeconds: yield* setting("PYRO_PULL_STALL_SECONDS") }
    const workspace = yield* acquireBuilder(pyro, { ...building, result })
    const files = Object.entries(uploads)
    const share = (UPLOADED - STARTED) / files.length
    for (const [at, [path, { bytes, sizeBytes }]] of files.entries()) {
      const from = STARTED + share * at
      const step = `giving ${path.slice(path.lastIndexOf("/") + 1)} to the builder`
      const passed = counting({ step, sizeBytes, from, to: from + share }, onProgress)
      yield* giveFile(pyro, { workspace, path }, Stream.tap(bytes, (piece) => Effect.sync(() => passed(piece))))
    }
    if (building.stepsBefore !== undefined) {
      building.onProgress({ step: "giving the steps of earlier builds to the builder", fraction: STARTED })
      yield* giveSteps(pyro, workspace, building.stepsBefore)
    }
    const made = yield* runRecipe(pyro, workspace, {
      ...building,
      onProgress: files.length === 0 ?
        onProgress :
        ({ fraction, ...progress }) => onProgress({ ...progress, fraction: Math.max(UPLOADED, fraction) }),
      request,
      last: "Made",
      refused: (at, refused) =>
        Effect.andThen(
          takeSteps(pyro, at, refused, building),
          building.refused?.(at, refused) ?? buildFailed(pyro, building)(at, refused)
        )
    })
    if (result === undefined) yield* takeResult(pyro, workspace, made, building)
    yield* takeSteps(pyro, workspace, made, building)
    return made
  }))
