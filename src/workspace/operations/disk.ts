import { exportDisk } from "../disk/export.ts"
import { listDisk, lookAtDisk, readDisk } from "../disk/look.ts"
import type { Works } from "./work.ts"

/** The work of the operations on the disk of a workspace at rest. */
export const diskWorks = {
  "workspace.disk.list": ({ entry, lifecycle }, payload) =>
    lookAtDisk(lifecycle, entry, payload, "workspace.disk.list", listDisk),
  "workspace.disk.read": ({ entry, lifecycle }, payload) =>
    lookAtDisk(lifecycle, entry, payload, "workspace.disk.read", readDisk),
  "workspace.disk.export": {
    notices: ({ entry, lifecycle, notify }, payload) => exportDisk(lifecycle, entry, payload, notify)
  }
} satisfies Partial<Works>
