import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, ImageDamaged, NoSpace, VmFailed } from "../../../contract/errors/errors.ts"
import { attempt } from "../../../system/files/failure.ts"
import type { VmPaths } from "../../record.ts"
import type { DiskCopy } from "../../Vm.ts"
import { fileFailedAt } from "../failure.ts"
import { copySparse } from "../memory.ts"
import { names } from "./machine.ts"
import { checkStore } from "./store-file.ts"

const storeOf = (paths: VmPaths) => path.join(paths.directory, names.store)

/** A text that each write to a VM's store changes: a write sets the time of the last change. */
export const storeMark = (paths: VmPaths): Effect.Effect<string, VmFailed | NoSpace> =>
  attempt("lstat", storeOf(paths), () => {
    const { blocks, dev, ino, mtimeNs } = fs.lstatSync(storeOf(paths), { bigint: true })
    return [dev, ino, mtimeNs, blocks].join(":")
  }).pipe(Effect.mapError(fileFailedAt("disk", storeOf(paths))))

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
    const mark = yield* storeMark(paths)
    if (last?.mark === mark) {
      yield* Effect.mapError(
        attempt("link", to, () => fs.linkSync(last.file, to)),
        fileFailedAt("disk", to)
      )
      return mark
    }
    yield* checkStore(store, virtualBytes)
    yield* copySparse(store, to, process.getuid?.() ?? 0)
    yield* Effect.mapError(attempt("chmod", to, () => fs.chmodSync(to, 0o444)), fileFailedAt("disk", to))
    return mark
  })
