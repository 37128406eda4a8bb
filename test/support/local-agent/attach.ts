import { Effect, type Scope } from "effect"
import { adopt, refused } from "../../../src/lib/vm/driver/adopt.ts"
import { removeMemory } from "../../../src/lib/vm/driver/memory.ts"
import { makeOwnership, removeFolder } from "../../../src/lib/vm/driver/ownership.ts"
import { type VmId, vmPaths } from "../../../src/lib/vm/model/record.ts"
import type { Vm, VmError } from "../../../src/lib/vm/model/Vm.ts"
import { exists } from "../../../src/system/files/entries.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import { adoptAgent } from "./agent-process.ts"
import { directoriesOf, sweepDirectories } from "./directories.ts"
import { settleDisk } from "./disks.ts"
import { identityOf } from "./identity.ts"
import { makeVm } from "./local-vm.ts"
import type { LocalAgentOptions } from "./options.ts"

/** Goes on with a workspace's VM that has no owner. A VM that cannot be attached to stays as it is. */
export const attachVm = (
  id: VmId,
  options: LocalAgentOptions
): Effect.Effect<Vm, VmError, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const all = yield* Paths
    const paths = vmPaths(all, id)
    const directories = directoriesOf(all)
    if (!exists(paths.directory)) return yield* refused(`there is no VM ${id}`)
    const record = yield* adopt(id, paths, "agent")
    const ownership = yield* makeOwnership(paths, record)
    // In the order in which their maker acquired them.
    yield* Effect.addFinalizer(() => sweepDirectories(directories))
    yield* Effect.addFinalizer(() => ownership.unlessLeft(removeFolder(paths)))
    yield* Effect.addFinalizer(() => ownership.unlessLeft(removeMemory(paths)))
    const agent = yield* adoptAgent(ownership, record.process)
    return yield* Effect.gen(function*() {
      yield* settleDisk(directories, paths)
      const spec = record.machine
      const vm = yield* makeVm({
        ownership,
        agent,
        directories,
        spec,
        identity: identityOf(spec, options),
        hasMemoryPoints: options.hasMemoryPoints === true
      })
      // A crash in the middle of a capture leaves the programs stopped.
      yield* vm.resume
      return vm
    }).pipe(Effect.onError(() => Effect.ignoreCause(ownership.leave)))
  })
