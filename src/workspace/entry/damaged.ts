import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { StateTooNew } from "../../contract/errors/errors.ts"
import { typedMessage } from "../../contract/rows/next-steps.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { isLayer } from "../../lib/disk/layer-format.ts"
import { listVmIds, type VmId, vmPaths } from "../../lib/vm/model/record.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { Paths } from "../../system/files/Paths.ts"
import type { WorkspaceFolder } from "./record.ts"
import type { Damaged } from "./registry.ts"

export const damagedBy = (failure: FileFailed | StateTooNew, which: Pick<Damaged, "id" | "folder">): Damaged =>
  failure._tag === "StateTooNew" ? { ...which, detail: typedMessage(failure), tooNew: failure } : {
    ...which,
    detail: `its record cannot be read: ${failure.message}; repair that file, or use the pyro that wrote it, ` +
      "and start the daemon again; or delete the workspace, if you give up what is in it"
  }

/** Reads a damaged folder. Its content may be anything, and must not prevent the adoption of other workspaces. */
const orElse = <A>(read: () => A, otherwise: A): A => {
  try {
    return read()
  } catch {
    return otherwise
  }
}

const UNKNOWN = "unknown"

/** Information about a damaged workspace, without its record. */
export const damagedInfo = ({ detail, folder, id }: Damaged): WorkspaceInfo => {
  const made = orElse(() => fs.statSync(folder.directory).birthtime, new Date(0))
  const active = orElse(() => fs.statSync(folder.activity).mtime, made)
  return {
    id,
    labels: {},
    environment: UNKNOWN,
    environmentDigest: UNKNOWN,
    state: "failed",
    detail,
    createdAt: made.toISOString(),
    lastActivityAt: active.toISOString(),
    generation: 0,
    vcpuCount: 0,
    memoryMib: 0,
    diskMib: 0,
    runningCommands: 0
  }
}

const filesOf = (folder: string): ReadonlyArray<string> =>
  orElse(() => fs.readdirSync(folder).map((name) => path.join(folder, name)), [])

/**
 * Identity of a writable file, the same under each of its names. `undefined` for a frozen layer, which belongs to all disks that build
 * on it.
 */
const identityOf = (file: string) => {
  const stat = orElse(() => fs.lstatSync(file, { throwIfNoEntry: false }), undefined)
  return stat?.isFile() === true && (stat.mode & 0o222) !== 0 ? `${stat.dev}:${stat.ino}` : undefined
}

const identities = (files: ReadonlyArray<string>) => files.map(identityOf).filter((one) => one !== undefined)

/** VMs that write to a disk of one of these workspaces. The layers identify them, because no record may name them. */
export const vmsOnDisksOf = (
  folders: ReadonlyArray<WorkspaceFolder>
): Effect.Effect<ReadonlyArray<VmId>, never, Paths> =>
  Effect.map(Paths, (paths) => {
    const disks = folders.flatMap(({ directory }) => filesOf(directory).filter((file) => /\/disk-\d+$/.test(file)))
    const layers = new Set(identities(disks.flatMap(filesOf).filter(isLayer)))
    if (layers.size === 0) return []
    return listVmIds(paths.stateDir).filter((id) =>
      identities(filesOf(vmPaths(paths, id).run)).some((layer) => layers.has(layer))
    )
  })
