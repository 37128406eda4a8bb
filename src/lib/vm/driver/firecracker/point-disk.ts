import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, ImageDamaged, NoSpace, VmFailed } from "../../../../contract/errors/errors.ts"
import { removeFile } from "../../../../system/files/entries.ts"
import { attempt } from "../../../../system/files/failure.ts"
import { bytesOnDisk } from "../../../../system/files/usage.ts"
import { nowMs } from "../../../../system/waits/time.ts"
import { changesOf } from "../../../disk/layer-format.ts"
import { fileFailedAt } from "../../model/failure.ts"
import type { VmPaths } from "../../model/record.ts"
import type { DiskCopy } from "../../model/Vm.ts"
import { copySince, copySparse } from "../memory.ts"
import type { Freezable } from "./freeze-memory.ts"
import { names } from "./machine.ts"
import { checkStore } from "./store-file.ts"

const storeOf = (paths: VmPaths) => path.join(paths.directory, names.store)

/** A text that each write to a VM's store changes: a write sets the time of the last change. */
export const storeMark = (paths: VmPaths): Effect.Effect<string, VmFailed | NoSpace> =>
  attempt("lstat", storeOf(paths), () => {
    const { blocks, dev, ino, mtimeNs } = fs.lstatSync(storeOf(paths), { bigint: true })
    return [dev, ino, mtimeNs, blocks].join(":")
  }).pipe(Effect.mapError(fileFailedAt("disk", storeOf(paths))))

/** Changes with more than this part of their layer's bytes make the next copy a whole one. */
const LARGE_PART = 1 / 2

/** Whether the next copy has its changes over the same layer as this one. */
const isBase = (file: string) => {
  const changes = changesOf(file)
  return !fs.existsSync(changes) || bytesOnDisk(changes) <= bytesOnDisk(file) * LARGE_PART
}

/** Gives an earlier copy another name. */
const linkCopy = (file: string, to: string) => {
  fs.linkSync(file, to)
  if (fs.existsSync(changesOf(file))) fs.linkSync(changesOf(file), changesOf(to))
}

/**
 * Copies the store of a paused VM, which continues on the same file. A file system that shares extents copies no data. Gives the mark of what
 * was copied.
 */
export const copyStoreTo = (
  paths: VmPaths,
  virtualBytes: number,
  { last, to }: DiskCopy
): Effect.Effect<string, VmFailed | NoSpace | HostToolMissing | ImageDamaged> =>
  Effect.gen(function*() {
    const store = storeOf(paths)
    const onDisk = <A>(operation: string, work: () => A) =>
      Effect.mapError(attempt(operation, to, work), fileFailedAt("disk", to))
    const mark = yield* storeMark(paths)
    if (last !== undefined && last.mark === mark) {
      yield* onDisk("link", () => linkCopy(last.file, to))
      return mark
    }
    yield* checkStore(store, virtualBytes)
    if (last === undefined || !(yield* onDisk("stat", () => isBase(last.file)))) {
      yield* copySparse(store, to, process.getuid?.() ?? 0)
      yield* onDisk("chmod", () => fs.chmodSync(to, 0o444))
      return mark
    }
    const made = yield* copySince(last.file, store, changesOf(to))
    yield* onDisk("link", () => made === "whole" ? fs.renameSync(changesOf(to), to) : fs.linkSync(last.file, to))
    return mark
  })

/** Disk from which a copy is worth a look before the pause, in bytes: a smaller one is compared in a few ms. */
const LARGE_BYTES = 16 * 1024 * 1024

/** The times of files go in steps of at most 10 ms (HZ=100): after twice that, a write has another time than the last one. */
const CLOCK_STEPS_MS = 20

const removeCopy = (to: string) =>
  Effect.forEach([to, changesOf(to)], (file) => Effect.ignore(removeFile(file)), { discard: true })

/** The mark of a store whose last write is so long ago that the next one changes the mark. Undefined for a store that is written. */
const restingMark = (paths: VmPaths) =>
  Effect.gen(function*() {
    for (let tries = 3; tries > 0; tries--) {
      const mark = yield* storeMark(paths)
      const lastMs = yield* Effect.mapError(
        attempt("lstat", storeOf(paths), () => fs.lstatSync(storeOf(paths)).mtimeMs),
        fileFailedAt("disk", storeOf(paths))
      )
      const agoMs = (yield* nowMs) - lastMs
      if (agoMs >= CLOCK_STEPS_MS) return mark
      yield* Effect.sleep(CLOCK_STEPS_MS)
    }
    return undefined
  })

/**
 * Copies a large store while its VM runs. Gives the mark with which the copy is right: a write since the look at it has set another time. None was under
 * way then: Firecracker writes in the thread that answers its API (io_engine Sync). Undefined if there is no such copy.
 */
export const copyEarly = (
  { api, ownership: { paths } }: Pick<Freezable, "api" | "ownership">,
  virtualBytes: number,
  copy: DiskCopy
): Effect.Effect<string | undefined> =>
  Effect.gen(function*() {
    if (bytesOnDisk(storeOf(paths)) < LARGE_BYTES) return undefined
    const mark = yield* restingMark(paths)
    if (mark === undefined) return undefined
    yield* api.isPaused
    const copied = yield* copyStoreTo(paths, virtualBytes, copy)
    if (copied === mark) return mark
    yield* removeCopy(copy.to)
    return undefined
  }).pipe(
    // The copy in the pause reports the fault.
    Effect.catch(() => Effect.as(removeCopy(copy.to), undefined))
  )

/** The copy in the pause: the early one, if nothing was written since. */
export const copyLate = (paths: VmPaths, virtualBytes: number, copy: DiskCopy) =>
  Effect.gen(function*() {
    const { early, to } = copy
    if (early !== undefined) {
      if (early === (yield* storeMark(paths))) return early
      yield* removeCopy(to)
    }
    return yield* copyStoreTo(paths, virtualBytes, copy)
  })
