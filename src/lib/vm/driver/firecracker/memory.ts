import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { type HostToolMissing, ImageDamaged, type NoSpace, type VmFailed } from "../../../../contract/errors/errors.ts"
import { exists, removeFile, renameFile } from "../../../../system/files/entries.ts"
import { attempt } from "../../../../system/files/failure.ts"
import { bytesOnDisk } from "../../../../system/files/usage.ts"
import { linkImage } from "../../../disk/workspace-disk.ts"
import { failedAt, fileFailedAt, vmFailed } from "../../model/failure.ts"
import { diffName, diffsOf, lastDiff, wholeName } from "../../model/memory-image.ts"
import type { VmPaths } from "../../model/record.ts"
import { copySparse } from "../memory.ts"
import { names } from "./machine.ts"
import { placeImage } from "./store.ts"

type MemoryFailed = VmFailed | NoSpace | HostToolMissing | ImageDamaged

/** The file of a VM's memory image. Firecracker maps it privately, so any number of VMs may have the same file. */
export const memoryOf = (paths: VmPaths) => path.join(paths.directory, names.memory)

/** Diffs after which a capture makes a whole image: the next VM that continues from it reads them all. */
const mostDiffs = 16

/** Whether a whole image pays: its diffs are many, or have twice its bytes. */
export const isLong = (image: string): boolean => {
  const diffs = diffsOf(image)
  return diffs.length > mostDiffs || diffs.reduce((sum, diff) => sum + bytesOnDisk(diff), 0) > 2 * bytesOnDisk(image)
}

/** Whether the next capture makes a whole image because of the number of diffs. */
export const isNextWhole = (image: string): boolean => diffsOf(image).length >= mostDiffs

/** Makes one file that every VM may read, each as its own user. The folders above are for their owner. */
export const makeWhole = (
  from: string,
  to: string,
  changes: ReadonlyArray<string> = []
): Effect.Effect<void, MemoryFailed> =>
  copySparse(from, to, process.getuid?.() ?? 0, { changes }).pipe(
    Effect.andThen(attempt("chmod", to, () => fs.chmodSync(to, 0o444))),
    Effect.catchTag("FileFailed", (failure) => Effect.fail(fileFailedAt("memory", to)(failure)))
  )

/** A whole file of a captured memory: the image itself, or a copy with its diffs, which is made once in the same folder. */
export const wholeOf = (image: string): Effect.Effect<string, MemoryFailed> =>
  Effect.gen(function*() {
    const diffs = yield* attempt("scandir", image, () => diffsOf(image))
    if (diffs.length === 0) return image
    if (!exists(image)) return yield* new ImageDamaged({ path: image, detail: "it is gone" })
    const whole = wholeName(image)
    if (exists(whole)) return whole
    yield* attempt("scandir", image, () => {
      const folder = path.dirname(image)
      for (const name of fs.readdirSync(folder)) {
        if (name.startsWith(`${path.basename(image)}.whole-`)) fs.rmSync(path.join(folder, name))
      }
    })
    yield* makeWhole(image, whole, diffs)
    return whole
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(fileFailedAt("memory", image)(failure))))

/** Gives an image with its diffs a second name in another folder. */
export const linkMemory = (image: string, to: string): Effect.Effect<void, MemoryFailed> =>
  Effect.forEach([image, ...diffsOf(image)], (file) => linkImage(file, to + file.slice(image.length)), {
    discard: true
  }).pipe(
    Effect.catchTag("StateDirectoryUnusable", (failure) => Effect.fail(failedAt("memory")(failure)))
  )

/** Oldest first: if a crash interrupts the removal, the newest diffs remain, and they change nothing over the whole image. */
const removeDiffs = (image: string) => Effect.forEach(diffsOf(image), removeFile, { discard: true })

/** Makes a whole image the one that a VM continues from. */
export const placeWhole = (paths: VmPaths, whole: string): Effect.Effect<void, MemoryFailed> =>
  Effect.andThen(placeImage(paths, whole, names.memory), removeDiffs(memoryOf(paths))).pipe(
    Effect.catchTag("FileFailed", (failure) => Effect.fail(fileFailedAt("memory", memoryOf(paths))(failure)))
  )

/** Gives a VM a captured memory, without a copy where the memory is whole. */
export const fillMemory = (paths: VmPaths, image: string): Effect.Effect<void, MemoryFailed> =>
  Effect.flatMap(wholeOf(image), (whole) => placeWhole(paths, whole))

/** Makes the memory whole that a capture wrote for a VM that is about to start. */
export const settleMemory = (paths: VmPaths): Effect.Effect<void, MemoryFailed> =>
  Effect.gen(function*() {
    const image = memoryOf(paths)
    const whole = yield* wholeOf(image)
    if (whole === image) return
    yield* Effect.andThen(renameFile(whole, image), removeDiffs(image)).pipe(
      Effect.mapError(fileFailedAt("memory", image))
    )
  })

/** Fault of a diff: Firecracker under a guest's control may have put anything in its place. */
const damageOf = (stat: fs.Stats, memoryBytes: number): string | undefined => {
  if (!stat.isFile()) return "no ordinary file"
  // The file of a diff may end with its last page.
  return stat.size > memoryBytes ? `${stat.size} bytes` : undefined
}

/**
 * Takes a diff that Firecracker wrote out of its reach, as the newest of a VM's memory. A Firecracker under the guest's control may still have
 * the file open: it can then change its own guest alone. A reader ignores what is beyond the memory's size.
 */
export const takeDiff = (
  paths: VmPaths,
  written: string,
  memoryBytes: number
): Effect.Effect<void, VmFailed | NoSpace> =>
  attempt("rename", written, () => {
    const image = memoryOf(paths)
    const taken = `${image}.taken`
    fs.renameSync(written, taken)
    const stat = fs.lstatSync(taken)
    const damage = damageOf(stat, memoryBytes)
    if (damage !== undefined) return damage
    if (stat.uid !== process.getuid?.()) fs.lchownSync(taken, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
    fs.chmodSync(taken, 0o444)
    fs.renameSync(taken, diffName(image, lastDiff(image) + 1))
    return undefined
  }).pipe(
    Effect.mapError(fileFailedAt("capture", written)),
    Effect.flatMap((damage) =>
      damage === undefined
        ? Effect.void
        : vmFailed("capture", `Firecracker wrote ${damage} instead of a part of a memory of ${memoryBytes} bytes`)
    )
  )
