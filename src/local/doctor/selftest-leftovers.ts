import * as fs from "node:fs"
import { Effect } from "effect"
import type { DoctorLine } from "../../contract/operations/doctor.ts"
import { Paths } from "../../system/Paths.ts"
import { vmPaths, type VmId } from "../../vm/record.ts"
import { fine, wrong } from "./line.ts"

/** Processes that name one of the VMs in their arguments. */
const processesNaming = (ids: ReadonlyArray<string>) =>
  fs.readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const args = fs.readFileSync(`/proc/${name}/cmdline`, "latin1")
      return ids.some((id) => args.includes(id))
    } catch {
      return false
    }
  })

/** Looks for whatever the self-test's own VMs may have left, in the host's own terms: processes, memory, folders. */
export const leftOnHost = (ids: ReadonlyArray<string>) =>
  Effect.map(Paths, (paths): DoctorLine => {
    const files = ids.flatMap((id) => {
      const { directory, memory } = vmPaths(paths, id as VmId)
      return [directory, memory].filter((file) => fs.existsSync(file))
    })
    const left = [...processesNaming(ids).map((pid) => `process ${pid}`), ...files]
    return left.length === 0
      ? fine("nothing is left on the host", `${ids.length} VMs, no process, memory file or folder of theirs`)
      : wrong("nothing is left on the host", left.join(", "), "pyro gc")
  })
