import { Deferred, Effect, Scope } from "effect"
import type { ChildProcess } from "node:child_process"
import { openFile } from "../../../../system/files/content.ts"
import { bytesOnDisk } from "../../../../system/files/usage.ts"
import { spawnTool, toolEnd } from "../../../../system/processes/child.ts"
import { nativeTool } from "../../../../system/processes/native.ts"
import { probeConfinement, probeOwnProc } from "../../model/confinement.ts"
import { failedAt, vmFailed } from "../../model/failure.ts"
import type { MachineSpec } from "../../model/machine.ts"
import type { SharedMemory } from "../../model/Vm.ts"
import { hasRoomFor } from "../admission.ts"

/** pyro-copy's report of its descriptor. */
const SEALED = /^sealed (\d+)\n/

/**
 * Copies a captured memory into memory of the kernel's that is sealed, and opens it. QEMU opens a memory that it maps privately for writing, and
 * punches a hole into it for each page that a guest gives back. The seals refuse both, so that neither a guest nor a QEMU under its control reaches
 * another VM that shares the memory. The Scope closes the descriptor. There is no name to remove: the pages go with the last process that has them.
 */
export const sealed = (memoryPath: string) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const tool = yield* nativeTool("pyro-copy")
    const reported = yield* Deferred.make<string>()
    let child: ChildProcess | undefined
    let text = ""
    // It lasts until this race interrupts it.
    const copying = toolEnd(tool, () => child = spawnTool(tool, ["--seal", memoryPath], {}), {
      onStdout: (chunk) => {
        text += chunk.toString("latin1")
        const number = SEALED.exec(text)?.[1]
        if (number !== undefined) Deferred.doneUnsafe(reported, Effect.succeed(number))
      }
    }).pipe(
      Effect.catchTag("ToolFailed", (failure) => failedAt("share memory")(failure)),
      Effect.andThen(Effect.fail(vmFailed("share memory", "pyro-copy ended")))
    )
    const opening = Effect.flatMap(Deferred.await(reported), (number) =>
      openFile(`/proc/${child?.pid}/fd/${number}`, "r").pipe(
        Scope.provide(scope),
        Effect.mapError(failedAt("share memory"))
      ))
    const descriptor = yield* Effect.raceFirst(copying, opening)
    return { descriptor, bytes: bytesOnDisk(`/proc/self/fd/${descriptor}`) } satisfies SharedMemory
  })

/**
 * Whether so many VMs can share a memory (`DriverService.canShare`). The shared one may grow to its whole size: the kernel gives it a page of zeros
 * for each hole that a VM touches.
 */
export const canShare = ({ memoryMib }: MachineSpec, count: number) =>
  Effect.gen(function*() {
    const { level } = yield* probeConfinement
    const obstacle = yield* probeOwnProc(level)
    if (obstacle === "") return yield* hasRoomFor((count + 1) * memoryMib)
    yield* Effect.logDebug(`VMs have copies of memories that they could share: ${obstacle}`)
    return false
  })
