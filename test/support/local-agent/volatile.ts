import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, NoSpace, VmFailed } from "../../../src/contract/errors/errors.ts"
import { failedAt, fileFailedAt } from "../../../src/lib/vm/model/failure.ts"
import type { VmPaths } from "../../../src/lib/vm/model/record.ts"
import { attempt } from "../../../src/system/files/failure.ts"
import { runTool } from "../../../src/system/processes/child.ts"
import { parts, volatileDirectories } from "./sandbox.ts"

const users = [
  ["passwd", "root:x:0:0:root:/root:/bin/sh\nagent:x:1000:1000:agent:/workspace:/bin/sh\n"],
  ["group", "root:x:0:\nagent:x:1000:\n"]
] as const

/** Makes the directories of a VM whose content ends with the VM. */
export const makeVolatile = (paths: VmPaths): Effect.Effect<void, VmFailed | NoSpace> =>
  attempt("mkdir", paths.directory, () => {
    const { volatile } = parts(paths)
    for (const { mode, name } of volatileDirectories) {
      const directory = path.join(volatile, name)
      fs.mkdirSync(directory, { recursive: true })
      fs.chmodSync(directory, mode)
    }
    for (const [name, content] of users) fs.writeFileSync(path.join(volatile, "etc", name), content)
  }).pipe(Effect.mapError(fileFailedAt("prepare", paths.directory)))

const failed = (step: string) => (failure: { readonly _tag: string; readonly message: string }) =>
  failure._tag === "HostToolMissing" ? failure as HostToolMissing : failedAt(step)(failure)

/** Writes those directories into one file: a captured memory. */
export const captureVolatile = (paths: VmPaths, file: string): Effect.Effect<void, VmFailed | HostToolMissing> =>
  Effect.asVoid(
    Effect.mapError(runTool("tar", ["-C", parts(paths).volatile, "-cf", file, "."]), failed("capture"))
  )

/** Brings the directories of a captured memory back. */
export const restoreVolatile = (paths: VmPaths, file: string): Effect.Effect<void, VmFailed | HostToolMissing> =>
  Effect.asVoid(Effect.mapError(runTool("tar", ["-C", parts(paths).volatile, "-xpf", file]), failed("restore")))

const bytesBeneath = (directory: string): number =>
  fs.readdirSync(directory, { withFileTypes: true }).reduce((sum, one) => {
    const file = path.join(directory, one.name)
    return sum + (one.isDirectory() ? bytesBeneath(file) : fs.lstatSync(file).size)
  }, 0)

/** Bytes that a capture of these directories takes, without the archive's own. */
export const volatileBytes = (paths: VmPaths): Effect.Effect<number> =>
  Effect.orElseSucceed(Effect.try(() => bytesBeneath(parts(paths).volatile)), () => 0)
