import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { type HostToolMissing, ImageDamaged, type NoSpace, type VmFailed } from "../../../src/contract/errors/errors.ts"
import { failedAt, fileFailedAt } from "../../../src/lib/vm/model/failure.ts"
import { removeEmptyFolder } from "../../../src/system/files/entries.ts"
import { attempt } from "../../../src/system/files/failure.ts"
import type { Paths } from "../../../src/system/files/Paths.ts"
import { removeTree } from "../../../src/system/files/remove-tree.ts"
import { runTool } from "../../../src/system/processes/child.ts"
import { isAlive, ownIdentity } from "../../../src/system/processes/identity.ts"
import { directoryOf, noteDirectory } from "./layer-file.ts"

export type DirectoryError = VmFailed | NoSpace | HostToolMissing | ImageDamaged

/**
 * Directories that stand for disks. Each has a further name of the file that it belongs to, a layer: a directory whose layer has lost
 * all other names is no disk's any more.
 */
export interface Directories {
  readonly root: string
  readonly cacheDir: string
}

export const directoriesOf = ({ cacheDir, stateDir }: Paths["Service"]): Directories => ({
  root: path.join(stateDir, "local-disks"),
  cacheDir
})

/** Names in one directory of `Directories`. */
const entry = { owner: "owner", tree: "tree" } as const

const treeOf = ({ root }: Directories, name: string) => path.join(root, name, entry.tree)

const preparedName = () => {
  const { pid, startTicks } = ownIdentity()
  return `new-${pid}-${startTicks}-${randomBytes(4).toString("hex")}`
}

/** Makes a directory that belongs to `owner`, filled by `fill`. The directory has its name once it is whole. */
const make = <E>(
  directories: Directories,
  owner: string,
  fill: (tree: string) => Effect.Effect<unknown, E>
): Effect.Effect<string, E | VmFailed | NoSpace> =>
  Effect.suspend(() => {
    const { root } = directories
    const prepared = path.join(root, preparedName())
    const name = randomBytes(8).toString("hex")
    const onDisk = (work: () => void) => Effect.mapError(attempt("write", root, work), fileFailedAt("disk", root))
    return onDisk(() => {
      fs.mkdirSync(prepared, { recursive: true, mode: 0o700 })
      fs.linkSync(owner, path.join(prepared, entry.owner))
    }).pipe(
      Effect.andThen(fill(path.join(prepared, entry.tree))),
      Effect.andThen(onDisk(() => fs.renameSync(prepared, path.join(root, name)))),
      Effect.as(name),
      Effect.onError(() => Effect.ignoreCause(removeTree(prepared)))
    )
  })

/** Says that a copy failed, unless its program is missing. */
export const copyFailed = (failure: { readonly message: string; readonly _tag: string }) =>
  failure._tag === "HostToolMissing" ? failure as HostToolMissing : failedAt("disk")(failure)

/** Copies a directory with owners, modes and times. */
export const copyTree = (from: string, to: string): Effect.Effect<void, VmFailed | HostToolMissing> =>
  Effect.asVoid(Effect.mapError(runTool("cp", ["-a", "--reflink=auto", "-T", from, to]), copyFailed))

const names = ({ root }: Directories): ReadonlyArray<string> => fs.existsSync(root) ? fs.readdirSync(root) : []

const ownerOf = ({ root }: Directories, name: string) => path.join(root, name, entry.owner)

/** Directory that a layer names; undefined for a layer that was never written. */
export const layerTree = (
  directories: Directories,
  layer: string,
  virtualBytes: number
): Effect.Effect<string | undefined, VmFailed | NoSpace | ImageDamaged> =>
  attempt("write", layer, () => directoryOf(layer, virtualBytes)).pipe(
    Effect.mapError(fileFailedAt("disk", layer)),
    Effect.flatMap((name) => {
      if (name === undefined) return Effect.succeed(undefined)
      const tree = treeOf(directories, name)
      return fs.existsSync(tree)
        ? Effect.succeed(tree)
        : new ImageDamaged({ path: layer, detail: "the directory with its content is gone" })
    })
  )

const note = (layer: string, virtualBytes: number, name: string) =>
  attempt("write", layer, () => noteDirectory(layer, virtualBytes, name)).pipe(
    Effect.mapError(fileFailedAt("disk", layer))
  )

/** Gives a layer a directory of its own, with a copy of `from`. */
export const fillLayer = (
  directories: Directories,
  layer: string,
  virtualBytes: number,
  from: string
): Effect.Effect<string, DirectoryError> =>
  Effect.gen(function*() {
    const name = yield* make(directories, layer, (tree) => copyTree(from, tree))
    yield* note(layer, virtualBytes, name)
    return treeOf(directories, name)
  })

/**
 * Ends a layer: `top` goes on with the directory, and the layer keeps a copy of its own. A crash in between leaves either of the two with
 * the directory, or both.
 */
export const passOn = (
  directories: Directories,
  layer: string,
  top: string,
  virtualBytes: number
): Effect.Effect<void, DirectoryError> =>
  Effect.gen(function*() {
    const name = directoryOf(layer, virtualBytes)
    if (name === undefined) return yield* failedAt("freeze disk")(new Error(`${layer} was never written`))
    const copy = yield* make(directories, layer, (tree) => copyTree(treeOf(directories, name), tree))
    yield* attempt("link", directories.root, () => {
      const owner = ownerOf(directories, name)
      fs.linkSync(top, `${owner}.tmp`)
      fs.renameSync(`${owner}.tmp`, owner)
    }).pipe(Effect.mapError(fileFailedAt("freeze disk", directories.root)))
    yield* note(top, virtualBytes, name)
    yield* note(layer, virtualBytes, copy)
  })

const isUnused = (directories: Directories, name: string) => {
  const prepared = /^new-(\d+)-(\d+)-/.exec(name)
  if (prepared !== null) {
    return !isAlive({ pid: Number(prepared[1]), startTicks: Number(prepared[2]), bootId: ownIdentity().bootId })
  }
  const owner = fs.statSync(ownerOf(directories, name), { throwIfNoEntry: false })
  return owner === undefined || owner.nlink === 1
}

/** Removes the directories of disks that are gone. Safe to repeat, and to run in several processes at once. */
export const sweepDirectories = (directories: Directories): Effect.Effect<void> =>
  Effect.gen(function*() {
    const unused = yield* attempt("scandir", directories.root, () =>
      names(directories).filter((name) =>
        isUnused(directories, name)
      ))
    yield* Effect.forEach(unused, (name) => removeTree(path.join(directories.root, name)), { discard: true })
    // The folder goes with the last one.
    yield* Effect.ignore(removeEmptyFolder(directories.root))
  }).pipe(Effect.ignoreCause)
