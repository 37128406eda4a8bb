import { Effect } from "effect"
import { readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { memoryFiles } from "../../../lib/vm/model/memory-image.ts"
import { inodeOf, listFolder, listIfPresent, renameFile } from "../../../system/files/entries.ts"
import { attempt } from "../../../system/files/failure.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { settingNow } from "../../../system/settings/config.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { discardFolder } from "../../entry/context.ts"
import { unwritten, virtualBytesOf, type WorkspaceFolder, type WorkspaceRecord } from "../../entry/record.ts"
import { aheadFile, halfMadePoint, type Point } from "../records/point.ts"
import type { CaptureFolder } from "../records/snapshot.ts"

/** Most points of a workspace. */
const MOST_POINTS = 20

/** A layer of a disk, or another file that points take room by, by its inode. */
interface HeldLayer {
  readonly inode: string
  readonly bytes: number
}

interface Held {
  readonly id: string
  readonly layers: ReadonlyArray<HeldLayer>
}

/**
 * Bytes that points take: the layers that the present disk does not have, and those of the present disk that are newer than the oldest point: without
 * points these would be one layer. Memory counts as a whole.
 */
const takenBy = (points: ReadonlyArray<Held>, present: ReadonlySet<string>): number => {
  const oldest = new Set(points[0]?.layers.map(({ inode }) => inode))
  const counted = new Map(points.flatMap(({ layers }) => layers.map(({ bytes, inode }) => [inode, bytes] as const)))
  return [...counted].reduce(
    (sum, [inode, bytes]) => oldest.has(inode) && present.has(inode) ? sum : sum + bytes,
    0
  )
}

/** The points to remove, oldest first, so that at most `most` stay, within `budgetBytes`. */
export const toEvict = (
  points: ReadonlyArray<Held>,
  present: ReadonlySet<string>,
  { budgetBytes, most = MOST_POINTS }: { readonly budgetBytes: number; readonly most?: number }
): ReadonlyArray<string> => {
  let gone = Math.max(0, points.length - most)
  while (gone < points.length && takenBy(points.slice(gone), present) > budgetBytes) gone += 1
  return points.slice(0, gone).map(({ id }) => id)
}

const layersOf = (files: ReadonlyArray<string>) =>
  Effect.forEach(
    files,
    (file) => Effect.map(inodeOf(file), (inode = file): HeldLayer => ({ inode, bytes: bytesOnDisk(file) }))
  )

/** The files of a point that take room: layers, and with a memory also its parts and the output of commands. */
const filesOf = ({ directory, disk, frozen, logs }: CaptureFolder) =>
  Effect.gen(function*() {
    const layers = (yield* listFolder(disk)).filter((name) => name !== "seed.ext4").map((name) => `${disk}/${name}`)
    const output = (yield* listIfPresent(logs)).map((name) => `${logs}/${name}`)
    const memory = yield* attempt("scandir", directory, () => memoryFiles(frozen.memoryPath))
    return [...layers, ...output, ...memory]
  })

const mib = 1024 * 1024

const budgetBytes = () => settingNow("PYRO_REWIND_MIB") * mib

/** The files that points take room by, and those of the present disk. */
const heldBy = (workspace: WorkspaceFolder, record: WorkspaceRecord, points: ReadonlyArray<Point>) =>
  Effect.gen(function*() {
    const held = yield* Effect.forEach(points, ({ folder, record: { id } }) =>
      Effect.gen(function*() {
        return { id, layers: yield* layersOf(yield* filesOf(folder)) }
      }))
    const { layers, top } = yield* readWorkspaceDisk(workspace.disk(record.disk), virtualBytesOf(record))
    const present = new Set((yield* layersOf([...layers, top])).map(({ inode }) => inode))
    return { held, present }
  })

/** Bytes that the budget of a workspace's points has left. Below 0: they take more. */
export const leftBytes = (workspace: WorkspaceFolder, record: WorkspaceRecord, points: ReadonlyArray<Point>) =>
  Effect.map(heldBy(workspace, record, points), ({ held, present }) => budgetBytes() - takenBy(held, present))

/**
 * Removes the points of a workspace that its ring has no room for, and the memory that is made ahead, which only makes a return faster. `kept` stay in
 * any case. The caller has the workspace alone.
 */
export const evict = (
  workspace: WorkspaceFolder,
  record: WorkspaceRecord,
  points: ReadonlyArray<Point>,
  kept: ReadonlyArray<string> = []
) =>
  Effect.gen(function*() {
    const { held, present } = yield* heldBy(workspace, record, points)
    const gone = toEvict(held, present, { budgetBytes: budgetBytes() }).filter((id) => !kept.includes(id))
    for (const { folder, record: { id } } of points) {
      if (!gone.includes(id)) continue
      const hidden = halfMadePoint(workspace, id).directory
      yield* Effect.mapError(renameFile(folder.directory, hidden), unwritten(workspace))
      faultPoint("point-evict:hidden")
      yield* discardFolder(hidden)
    }
    const taken = takenBy(held.filter(({ id }) => !gone.includes(id)), present)
    const ahead = aheadFile(workspace)
    if (taken + bytesOnDisk(ahead) > budgetBytes()) yield* removeTree(ahead)
  }).pipe(
    // The point itself is made. The next one finds the ring as it is.
    Effect.catch((failure) => Effect.logDebug(`points of a workspace stay: ${failure.message}`))
  )
