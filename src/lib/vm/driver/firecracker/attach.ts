import { Effect, type Scope } from "effect"
import * as path from "node:path"
import { exists } from "../../../../system/files/entries.ts"
import { Paths } from "../../../../system/files/Paths.ts"
import { type VmId, vmPaths } from "../../model/record.ts"
import type { VmError } from "../../model/Vm.ts"
import { adopt, refused } from "../adopt.ts"
import { makeOwnership, removeFolder } from "../ownership.ts"
import { adoptVmm } from "../vmm-process.ts"
import { connectApi } from "./api.ts"
import { removeCaptured } from "./freeze-memory.ts"
import { names } from "./machine.ts"
import { type FirecrackerVm, makeVm } from "./vm.ts"

/**
 * Attaches to a workspace's VM that another process has started and that has no owner now. This process then owns it, and the Scope ends
 * it. A VM that cannot be attached to stays unchanged.
 */
export const attachVm = (id: VmId): Effect.Effect<FirecrackerVm, VmError, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const paths = vmPaths(yield* Paths, id)
    if (!exists(paths.directory)) return yield* refused(`there is no VM ${id}`)
    const record = yield* adopt(id, paths, "Firecracker")
    const { isTracked = false, machine, process, virtualBytes } = record
    if (virtualBytes === undefined) return yield* refused(`${id} was never finished`)
    const ownership = yield* makeOwnership(paths, record)
    // In the order of the VM's start: Firecracker ends before the files that it uses are removed.
    yield* Effect.addFinalizer(() => ownership.unlessLeft(removeFolder(paths)))
    const firecracker = yield* adoptVmm(ownership, process)
    return yield* Effect.gen(function*() {
      const api = yield* connectApi(path.join(paths.directory, names.apiSocket))
      yield* Effect.forkScoped(firecracker.watch(api.closed))
      // A crash during a capture leaves the guest paused, and so does a full disk.
      const isPaused = yield* api.isPaused
      // Firecracker has answered, so it writes no capture any more.
      yield* removeCaptured({ ownership })
      const vm = yield* makeVm({ ownership, firecracker, api, spec: machine, virtualBytes, isTracked, isPaused })
      if (isPaused) yield* vm.resumeWithSpace
      return vm
    }).pipe(Effect.onError(() => Effect.ignoreCause(ownership.leave)))
  })
