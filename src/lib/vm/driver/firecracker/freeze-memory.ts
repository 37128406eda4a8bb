import { Effect, Ref } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, ImageDamaged, NoSpace, VmFailed } from "../../../../contract/errors/errors.ts"
import { removeFile } from "../../../../system/files/entries.ts"
import { attempt } from "../../../../system/files/failure.ts"
import { faultPoint } from "../../../../system/waits/fault.ts"
import { fileFailedAt, vmFailed } from "../../model/failure.ts"
import { type Frozen, frozenIn } from "../../model/machine.ts"
import { diffsOf } from "../../model/memory-image.ts"
import type { Vm } from "../../model/Vm.ts"
import type { Ownership } from "../ownership.ts"
import type { Api } from "./api.ts"
import { capture, captured } from "./machine.ts"
import { isLong, linkMemory, makeWhole, memoryOf, placeWhole, takeDiff } from "./memory.ts"

/** A VM whose memory can be written. */
export interface Freezable extends Pick<Vm, "health" | "pause" | "resume"> {
  readonly api: Api
  readonly ownership: Ownership
  /**
   * Whether the VM's own memory image has everything but the pages that Firecracker tracks. False after a boot, and after a capture whose
   * pages were lost: the next capture then writes all of the memory.
   */
  readonly isTracked: Ref.Ref<boolean>
}

/** Device state of a microVM has some 20 KiB. A Firecracker under a guest's control must not fill the host's disk. */
const maxStateBytes = 64 * 1024 * 1024

const mib = 1024 * 1024

const inFolder = ({ ownership }: Pick<Freezable, "ownership">, name: string) =>
  path.join(ownership.paths.directory, name)

/** Removes what a capture has left in the VM's own folder. Firecracker may not be writing one. */
export const removeCaptured = (vm: Pick<Freezable, "ownership">) =>
  Effect.forEach([captured.state, captured.memory], (name) => Effect.ignore(removeFile(inFolder(vm, name))), {
    discard: true
  })

/** Lets Firecracker write the state of a paused VM into its own folder. */
export const writeState = (vm: Freezable) =>
  Effect.gen(function*() {
    const which = (yield* Ref.get(vm.isTracked)) ? "Diff" : "Full"
    yield* removeCaptured(vm)
    // Firecracker forgets the tracked pages, whatever becomes of the file.
    yield* Ref.set(vm.isTracked, false)
    yield* vm.ownership.update((record) => ({ ...record, isTracked: false }))
    yield* vm.api.send("capture", capture(which))
    return which
  }).pipe(Effect.raceFirst(vm.health.failure))

/** Puts the device state where it belongs: a regular file that is not too large. */
const keepState = (vm: Pick<Freezable, "ownership">, to: string) =>
  attempt("copyfile", to, () => {
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants
    const from = fs.openSync(inFolder(vm, captured.state), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const stat = fs.fstatSync(from)
      if (!stat.isFile() || stat.size > maxStateBytes) return false
      // No more than that: Firecracker may still write.
      const content = Buffer.alloc(stat.size)
      const length = fs.readSync(from, content, 0, stat.size, 0)
      const target = fs.openSync(to, O_WRONLY | O_CREAT | O_EXCL, 0o444)
      try {
        fs.writeFileSync(target, content.subarray(0, length))
      } finally {
        fs.closeSync(target)
      }
      return true
    } finally {
      fs.closeSync(from)
    }
  }).pipe(
    Effect.mapError(fileFailedAt("capture", to)),
    Effect.flatMap((kept) => kept ? Effect.void : vmFailed("capture", "its device state is no ordinary file"))
  )

/** Lays a whole memory at `to`, and lets the VM's own image be the same file. */
const replaceMemory = (vm: Freezable, to: string, from: string, changes: ReadonlyArray<string> = []) =>
  Effect.andThen(makeWhole(from, to, changes), placeWhole(vm.ownership.paths, to))

/** Keeps all of a memory that Firecracker has written. */
const keepFull = (vm: Freezable, memoryBytes: number, to: string) =>
  Effect.gen(function*() {
    const written = inFolder(vm, captured.memory)
    const bytes = yield* Effect.mapError(
      attempt("lstat", written, () => fs.lstatSync(written).size),
      fileFailedAt("capture", written)
    )
    if (bytes !== memoryBytes) {
      return yield* vmFailed("capture", `Firecracker wrote ${bytes} bytes of a memory of ${memoryBytes}`)
    }
    yield* replaceMemory(vm, to, written)
  })

/** Keeps what a VM wrote since its last capture: as one more diff, or in a whole image where there are many diffs. */
const keepDiff = (vm: Freezable, memoryBytes: number, to: string) =>
  Effect.gen(function*() {
    const { paths } = vm.ownership
    const image = memoryOf(paths)
    yield* takeDiff(paths, inFolder(vm, captured.memory), memoryBytes)
    faultPoint("diff:taken")
    yield* isLong(image) ? replaceMemory(vm, to, image, diffsOf(image)) : linkMemory(image, to)
  })

/** Puts the memory that Firecracker has written at `to`, and continues the VM's own image with it. */
const keepMemory = (
  vm: Freezable,
  which: "Full" | "Diff",
  to: string
): Effect.Effect<void, VmFailed | NoSpace | HostToolMissing | ImageDamaged> =>
  Effect.gen(function*() {
    const memoryBytes = (yield* vm.ownership.record).memoryMib * mib
    yield* which === "Full" ? keepFull(vm, memoryBytes, to) : keepDiff(vm, memoryBytes, to)
    yield* Ref.set(vm.isTracked, true)
    yield* vm.ownership.update((record) => ({ ...record, isTracked: true }))
  }).pipe(Effect.ensuring(removeCaptured(vm)))

/** Puts the device state and the memory that Firecracker has written into their files. The VM may run meanwhile. */
export const keepWritten = (vm: Freezable, which: "Full" | "Diff", { memoryPath, statePath }: Frozen) =>
  Effect.gen(function*() {
    yield* keepState(vm, statePath)
    faultPoint("diff:state")
    yield* keepMemory(vm, which, memoryPath)
  })

/** Writes memory and device state of an idle, paused VM into `directory`, without its disk. */
export const freezeMemory = (vm: Freezable, directory: string) =>
  Effect.gen(function*() {
    const frozen = frozenIn(directory)
    yield* keepWritten(vm, yield* writeState(vm), frozen)
    return frozen
  })
