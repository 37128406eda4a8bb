import * as fs from "node:fs"
import { withChildren } from "../../../src/system/processes/identity.ts"
import type { Installation } from "../installation.ts"

/** QEMUs that run, of all workspaces, candidates of tries too, and whether each shares its memory. */
export const qemus = async ({ daemon }: Installation) => {
  const { vms } = await daemon()
  // A candidate is no workspace to anybody.
  return vms.flatMap(({ pid, purpose, workspace = "" }) =>
    purpose !== "workspace" || pid === undefined ? [] : withChildren(pid).flatMap((one) => {
      try {
        const [, backend] = /\0(memory-backend-file,[^\0]*)\0/.exec(fs.readFileSync(`/proc/${one}/cmdline`, "utf8")) ??
          []
        const isQemu = fs.readlinkSync(`/proc/${one}/exe`).includes("qemu")
        return isQemu && backend !== undefined ? [{ pid: one, workspace, isShared: backend.includes("share=off") }] : []
      } catch {
        return [] // it ended meanwhile
      }
    })
  )
}

/** Memory of a process in MiB, with shared memory divided by its users. */
export const proportionalMib = (pid: number) =>
  Number(/^Pss:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))![1]) / 1024
