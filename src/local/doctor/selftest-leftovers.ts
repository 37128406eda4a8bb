import { Effect } from "effect"
import type { DoctorLine } from "../../contract/rows/host.ts"
import { exists } from "../../system/files/entries.ts"
import { Paths } from "../../system/files/Paths.ts"
import { processesWithArgument } from "../../system/processes/identity.ts"
import { processName, type VmId, vmPaths } from "../../vm/record.ts"
import { fine, wrong } from "./line.ts"

/** Looks for whatever the self-test's own VMs may have left, in the host's own terms: processes, memory, folders. */
export const leftOnHost = (ids: ReadonlyArray<string>) =>
  Effect.map(Paths, (paths): DoctorLine => {
    const files = ids.flatMap((id) => {
      const { directory, memory } = vmPaths(paths, id as VmId)
      return [directory, memory].filter((file) => exists(file))
    })
    const left = [...processesWithArgument(...ids.map(processName)).map(({ pid }) => `process ${pid}`), ...files]
    return left.length === 0
      ? fine("nothing is left on the host", `${ids.length} VMs, no process, memory file or folder of theirs`)
      : wrong("nothing is left on the host", left.join(", "), "pyro gc")
  })
