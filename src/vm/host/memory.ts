import { Effect } from "effect"
import * as fs from "node:fs"
import { type HostToolMissing, memoryStore, NoSpace, VmFailed } from "../../contract/errors.ts"
import { runTool } from "../../system/child.ts"
import { nativeTool } from "../../system/native.ts"
import type { VmPaths, VmRecord } from "../record/record.ts"

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
    Effect.onError(() => Effect.sync(() => fs.rmSync(paths.memory, { force: true })))
  )

export const removeMemory = (paths: VmPaths) =>
  Effect.promise(() => fs.promises.rm(paths.memory, { force: true })).pipe(Effect.ignoreLogged)

const emptyMemory = (paths: VmPaths, record: VmRecord) =>
  Effect.try({
    try: () => {
      const fd = fs.openSync(paths.memory, "wx", 0o600)
      try {
        fs.ftruncateSync(fd, record.memoryMib * 1024 * 1024)
        if (record.uid !== process.getuid?.()) fs.fchownSync(fd, record.uid, record.uid)
      } finally {
        fs.closeSync(fd)
      }
    },
    catch: (cause) => new VmFailed({ step: "memory", detail: String(cause), consoleTail: "" })
  })

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
            neededMib: Math.ceil(fs.statSync(from).blocks / 2048),
            availableMib: 0
          })
          : new VmFailed({ step: "memory", detail: failure.message, consoleTail: "" })
      )
    )
  })
