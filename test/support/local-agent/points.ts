import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, ImageDamaged, NoSpace, VmFailed } from "../../../src/contract/errors/errors.ts"
import { layAhead, needsCopy, toLay } from "../../../src/lib/vm/memory-ahead.ts"
import { failedAt, fileFailedAt } from "../../../src/lib/vm/model/failure.ts"
import { wholeName } from "../../../src/lib/vm/model/memory-image.ts"
import type { DiskCopy, VmPoints } from "../../../src/lib/vm/model/Vm.ts"
import { attempt } from "../../../src/system/files/failure.ts"
import type { LocalDisks } from "./disks.ts"

type CopyFailed = VmFailed | NoSpace | HostToolMissing | ImageDamaged

/** Whatever a program changes in a directory changes this text. */
const markOf = (directory: string): string =>
  fs.readdirSync(directory, { withFileTypes: true }).map((one) => {
    const file = path.join(directory, one.name)
    const { ino, mode, mtimeNs, size } = fs.lstatSync(file, { bigint: true })
    const own = [one.name, ino, mode, one.isDirectory() ? 0n : size, mtimeNs].join(":")
    return one.isDirectory() ? `${own}(${markOf(file)})` : own
  }).join(",")

const marked = (tree: string) =>
  Effect.mapError(attempt("scandir", tree, () => markOf(tree)), fileFailedAt("disk", tree))

/** Copies the disk of an agent that stands still, and gives its mark. */
export const copyTo = ({ copy, tree }: LocalDisks, { last, to }: DiskCopy): Effect.Effect<string, CopyFailed> =>
  Effect.gen(function*() {
    const mark = yield* Effect.flatMap(tree, marked)
    yield* last?.mark === mark
      ? Effect.mapError(attempt("link", to, () => fs.linkSync(last.file, to)), fileFailedAt("disk", to))
      : copy(to)
    return mark
  })

/** A file with a captured memory, which may have diffs. */
export const wholeMemory = (memoryPath: string): Effect.Effect<string, VmFailed | NoSpace | HostToolMissing> =>
  Effect.gen(function*() {
    const whole = { file: wholeName(memoryPath), parts: [] }
    if (!(yield* needsCopy(memoryPath))) return fs.existsSync(whole.file) ? whole.file : memoryPath
    const lay = yield* toLay(whole, memoryPath)
    if (lay !== undefined) yield* layAhead(whole, lay)
    return whole.file
  })

/** Points with memory of a VM that is a local process. */
export const makePoints = (
  disks: LocalDisks,
  { paused, pendingBytes }: {
    readonly paused: <A, E>(work: Effect.Effect<A, E>) => Effect.Effect<A, E | VmFailed>
    readonly pendingBytes: Effect.Effect<number>
  }
): VmPoints => ({
  diskMark: Effect.mapError(
    Effect.flatMap(disks.tree, marked),
    (failure) => failure._tag === "VmFailed" || failure._tag === "NoSpace" ? failure : failedAt("disk")(failure)
  ),
  pendingBytes,
  copyEarly: () => Effect.succeed(undefined),
  copyDisk: (copy) => paused(copyTo(disks, copy))
})
