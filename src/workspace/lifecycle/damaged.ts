import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { Paths } from "../../system/Paths.ts"
import { listVmIds } from "../../vm/admission.ts"
import { type VmId, vmPaths } from "../../vm/record.ts"
import type { WorkspaceFolder } from "./record.ts"

const filesOf = (folder: string): ReadonlyArray<string> =>
  fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : []

/** A file under each of its names. */
const identityOf = (file: string) => {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  return stat?.isFile() === true ? `${stat.dev}:${stat.ino}` : undefined
}

const identities = (files: ReadonlyArray<string>) => files.map(identityOf).filter((one) => one !== undefined)

/** VMs that write a disk of one of these workspaces: found by the layers themselves, which no record has to name. */
export const vmsOnDisksOf = (
  folders: ReadonlyArray<WorkspaceFolder>
): Effect.Effect<ReadonlyArray<VmId>, never, Paths> =>
  Effect.map(Paths, (paths) => {
    const disks = folders.flatMap(({ directory }) => filesOf(directory).filter((file) => /\/disk-\d+$/.test(file)))
    const layers = new Set(identities(disks.flatMap(filesOf).filter((file) => file.endsWith(".qcow2"))))
    if (layers.size === 0) return []
    return listVmIds(paths.stateDir).filter((id) =>
      identities(filesOf(vmPaths(paths, id).run)).some((layer) => layers.has(layer))
    )
  })
