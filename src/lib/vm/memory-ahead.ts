import { Effect } from "effect"
import * as fs from "node:fs"
import type { HostToolMissing, NoSpace, VmFailed } from "../../contract/errors/errors.ts"
import { attempt } from "../../system/files/failure.ts"
import { removeTree } from "../../system/files/remove-tree.ts"
import { copySparse, layOver } from "./driver/memory.ts"
import { fileFailedAt } from "./model/failure.ts"
import { diffsOf, wholeName } from "./model/memory-image.ts"

/**
 * The whole image of a captured memory that has diffs, made before a VM continues from that memory: a copy of the memory takes longer than the rest of a
 * VM's start. The next memory of the same VM mostly has a few diffs more, and these alone are written then. No VM has the file before
 * `giveAhead`, so it can be changed.
 */
export interface MemoryAhead {
  readonly file: string
  /** The image and the diffs that the file has, by `idOf`. */
  readonly parts: ReadonlyArray<string>
}

/** Names a part of a memory, under each of its names. The number of a file may be used again: the time of the last change is not. */
const idOf = (part: string): string => {
  const { dev, ino, mtimeNs } = fs.statSync(part, { bigint: true })
  return [dev, ino, mtimeNs].join(":")
}

/** The image of a captured memory and its diffs. */
const partsOf = (memoryPath: string) => [memoryPath, ...diffsOf(memoryPath)].map((part) => ({ part, id: idOf(part) }))

const look = <A>(memoryPath: string, work: () => A): Effect.Effect<A, VmFailed | NoSpace> =>
  Effect.mapError(attempt("stat", memoryPath, work), fileFailedAt("memory", memoryPath))

/** Whether a VM that continues from a captured memory needs a copy first: it has diffs, and no whole image yet. */
export const needsCopy = (memoryPath: string) =>
  look(memoryPath, () => diffsOf(memoryPath).length > 0 && !fs.existsSync(wholeName(memoryPath)))

/** Whether a memory has all parts of one that was made ahead, so that `layAhead` copies none of them again. */
const isBegun = ({ file, parts }: MemoryAhead, ids: ReadonlyArray<string>) =>
  fs.existsSync(file) && parts.length > 0 && parts.every((id, at) => ids[at] === id)

/** Work of `layAhead`. */
export interface Lay {
  /** Whether the file is made anew, with a copy of the image. */
  readonly isNew: boolean
  readonly memoryPath: string
  readonly parts: ReadonlyArray<{ readonly part: string; readonly id: string }>
}

/** The work that is left until the file has a memory. Undefined if the file has the memory. */
export const toLay = (ahead: MemoryAhead, memoryPath: string): Effect.Effect<Lay | undefined, VmFailed | NoSpace> =>
  look(memoryPath, () => {
    const all = partsOf(memoryPath)
    const isNew = !isBegun(ahead, all.map(({ id }) => id))
    const parts = isNew ? all : all.slice(ahead.parts.length)
    return parts.length === 0 ? undefined : { isNew, memoryPath, parts }
  })

/** Writes it. After a failure the file has no memory, and is to be removed. */
export const layAhead = (
  ahead: MemoryAhead,
  { isNew, parts }: Lay
): Effect.Effect<MemoryAhead, VmFailed | NoSpace | HostToolMissing> =>
  Effect.gen(function*() {
    const { file } = ahead
    const [image, ...diffs] = parts.map(({ part }) => part)
    const ids = parts.map(({ id }) => id)
    if (!isNew) {
      yield* layOver(file, parts.map(({ part }) => part))
      return { file, parts: [...ahead.parts, ...ids] }
    }
    yield* Effect.ignore(removeTree(file))
    yield* copySparse(image!, file, process.getuid?.() ?? 0, { changes: diffs })
    return { file, parts: ids }
  })

/** Makes the file the whole image of a memory, if it has exactly that memory. Says whether it did; the file is gone then. */
export const giveAhead = (ahead: MemoryAhead, memoryPath: string): Effect.Effect<boolean, VmFailed | NoSpace> =>
  look(memoryPath, () => {
    const ids = partsOf(memoryPath).map(({ id }) => id)
    if (ids.length !== ahead.parts.length || !isBegun(ahead, ids)) return false
    // Every VM may read it, each as its own user.
    fs.chmodSync(ahead.file, 0o444)
    fs.renameSync(ahead.file, wholeName(memoryPath))
    return true
  })
