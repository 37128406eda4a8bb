import { Effect } from "effect"
import { type HostToolMissing, memoryStore, NoSpace, VmFailed } from "../../contract/errors/errors.ts"
import { openFile, setSize } from "../../system/files/descriptor.ts"
import { removeFile, setOwner } from "../../system/files/entries.ts"
import { removeTree } from "../../system/files/folders.ts"
import { bytesOnDisk } from "../../system/files/usage.ts"
import { runTool } from "../../system/processes/child.ts"
import { nativeTool } from "../../system/processes/native.ts"
import type { VmPaths, VmRecord } from "../record.ts"

const mib = 1024 * 1024

/** Exit status of pyro-copy when the destination's file system is full. */
const copyNoSpace = 3

/**
 * Makes a VM's own memory file: a sparse copy of a frozen one, or empty for a boot. It is never shared: on QEMU before 8.2 a
 * template that is mapped by a VM could be written by it.
 */
export const fillMemory = (
  paths: VmPaths,
  record: VmRecord,
  from: string | undefined
): Effect.Effect<void, VmFailed | NoSpace | HostToolMissing> =>
  (from === undefined ? emptyMemory(paths, record) : copySparse(from, paths.memory, record.uid)).pipe(
    Effect.onError(() => Effect.ignoreCause(removeFile(paths.memory)))
  )

export const removeMemory = (paths: VmPaths) => Effect.ignoreCause(removeTree(paths.memory))

const emptyMemory = (paths: VmPaths, record: VmRecord) =>
  Effect.scoped(Effect.gen(function*() {
    const fd = yield* openFile(paths.memory, "wx")
    yield* setSize(fd, paths.memory, record.memoryMib * mib)
    if (record.uid !== process.getuid?.()) yield* setOwner(paths.memory, record.uid)
  })).pipe(Effect.mapError(({ detail }) => new VmFailed({ step: "memory", detail, consoleTail: "" })))

/** Copies a file without its holes and zero pages, for `uid` alone to read and write. */
export const copySparse = (from: string, to: string, uid: number) =>
  Effect.gen(function*() {
    const tool = yield* nativeTool("pyro-copy")
    yield* runTool(tool, ["--owner", `${uid}:${uid}`, from, to]).pipe(
      Effect.mapError((failure) =>
        failure._tag !== "ToolFailed"
          ? failure
          : failure.code === copyNoSpace
          ? new NoSpace({
            where: memoryStore,
            path: to,
            neededMib: Math.ceil(bytesOnDisk(from) / mib),
            availableMib: 0
          })
          : new VmFailed({ step: "memory", detail: failure.message, consoleTail: "" })
      )
    )
  })
