import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, ImageDamaged, NoSpace, VmFailed } from "../../../contract/errors/errors.ts"
import { changesOf } from "../../../disk/layer-format.ts"
import { attempt } from "../../../system/files/failure.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import type { VmPaths } from "../../record.ts"
import type { DiskCopy } from "../../Vm.ts"
import { fileFailedAt } from "../failure.ts"
import { copySince, copySparse } from "../memory.ts"
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
