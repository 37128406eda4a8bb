import { Effect } from "effect"
import * as path from "node:path"
import { copyFile, keepReadOnly, openFile, setSize, writeFile } from "../../system/files/content.ts"
import { renameFile, setMode, statEntry } from "../../system/files/entries.ts"
import { FileFailed } from "../../system/files/failure.ts"
import { Paths } from "../../system/files/Paths.ts"
import { makeTemporary, sweepTemporaries } from "../../system/files/temporary.ts"

// A guest writes a large result to a disk of its own. The disk's file becomes the result, so no byte of it crosses the channel.

/** A file on the file system of the state directory that a guest writes as a disk. It is whole once the VM has ended. */
export interface ResultDisk {
  readonly file: string
  readonly mib: number
}

/** Where the files are until their VMs have ended. */
export const resultsFolder = (stateDir: string) => path.join(stateDir, "results")

/** A disk with a copy of `base`, or empty. The Scope removes its file. */
export const makeResultDisk = (mib: number, base?: string) =>
  Effect.gen(function*() {
    const parent = resultsFolder((yield* Paths).stateDir)
    yield* sweepTemporaries(parent)
    const work = yield* makeTemporary(parent, "result")
    const disk: ResultDisk = { file: path.join(work.path, "disk"), mib }
    yield* base === undefined ? writeFile(disk.file, "") : copyFile(base, disk.file)
    // The copy has the rights of its source.
    yield* setMode(disk.file, 0o600)
    return disk
  })

/** Gives the first bytes of a disk the name `target`. Fails if a VM may still write to it. */
export const takeResult = ({ file }: ResultDisk, sizeBytes: number, target: string): Effect.Effect<void, FileFailed> =>
  Effect.scoped(Effect.gen(function*() {
    // The folder of a VM, which has another name of it, goes when the VM has ended.
    if ((yield* statEntry(file))?.nlink !== 1) {
      return yield* new FileFailed({ operation: "take", path: file, detail: "a microVM still has it" })
    }
    const fd = yield* openFile(file, "r+")
    yield* setSize(fd, file, sizeBytes)
    yield* keepReadOnly(fd, file)
    yield* Effect.catchIf(renameFile(file, target), ({ code }) => code === "EXDEV", () => copyFile(file, target))
  }))
