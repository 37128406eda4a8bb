import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, ImageDamaged, NoSpace, VmFailed } from "../../../../contract/errors/errors.ts"
import { removeFile, renameFile } from "../../../../system/files/entries.ts"
import { attempt, isMissing } from "../../../../system/files/failure.ts"
import { type DiskSource, linkImage } from "../../../disk/workspace-disk.ts"
import { failedAt, fileFailedAt, vmFailed } from "../../model/failure.ts"
import type { VmPaths } from "../../model/record.ts"
import { copySparse } from "../memory.ts"
import { names } from "./machine.ts"
import { checkStore, ownStore } from "./store-file.ts"

type PlaceFailed = VmFailed | NoSpace | HostToolMissing | ImageDamaged

/** Puts an image under a name that Firecracker may only read, in place of the last one. */
export const placeImage = (paths: VmPaths, image: string, name: string): Effect.Effect<void, PlaceFailed> => {
  const place = path.join(paths.directory, name)
  return removeFile(`${place}.new`).pipe(
    Effect.catchIf(isMissing, () => Effect.void),
    Effect.andThen(linkImage(image, `${place}.new`)),
    Effect.andThen(renameFile(`${place}.new`, place)),
    Effect.catchTags({
      FileFailed: fileFailedEffect("disk", place),
      StateDirectoryUnusable: (failure) => Effect.fail(failedAt("disk")(failure))
    })
  )
}

const fileFailedEffect = (step: string, where: string) => (failure: Parameters<ReturnType<typeof fileFailedAt>>[0]) =>
  Effect.fail(fileFailedAt(step, where)(failure))

/** The newest file to which a guest has written: a store has all that was written over the seed. A lost one must not become an old one. */
const newestContent = ({ layers = [], top }: DiskSource): string | undefined =>
  [...layers, ...(top === undefined ? [] : [top])].findLast((file) =>
    fs.lstatSync(file, { throwIfNoEntry: false })?.size !== 0
  )

/** Copies a store without a writer. A file system that shares extents copies no data. */
const copyStore = (from: string, to: string, uid: number) =>
  Effect.gen(function*() {
    const temporary = `${to}.tmp`
    yield* Effect.ignore(removeFile(temporary))
    yield* copySparse(from, temporary, uid)
    yield* Effect.mapError(renameFile(temporary, to), fileFailedAt("disk", to))
  })

const makeEmpty = (file: string) =>
  attempt("open", file, () => fs.closeSync(fs.openSync(file, "w", 0o600))).pipe(
    Effect.mapError(fileFailedAt("disk", file))
  )

/**
 * Puts a disk in a VM's folder, in place of the last one: its seed, and its store with the newest content. A `top` stays another name of
 * the store, so both names must be on one file system. `content` is the first content of an empty disk.
 */
export const placeDisk = (
  paths: VmPaths,
  uid: number,
  disk: DiskSource,
  content?: string | undefined
): Effect.Effect<void, PlaceFailed> =>
  Effect.gen(function*() {
    const store = path.join(paths.directory, names.store)
    const fresh = `${store}.new`
    const own = disk.top ?? fresh
    const newest = newestContent(disk) ?? content
    yield* placeImage(paths, disk.seed.path, names.seed)
    yield* Effect.ignore(removeFile(fresh))
    if (newest !== undefined && newest !== disk.top) {
      yield* checkStore(newest, disk.seed.virtualBytes)
      yield* copyStore(newest, own, uid)
    } else if (disk.top === undefined) yield* makeEmpty(fresh)
    yield* ownStore(own, uid, disk.seed.virtualBytes)
    yield* attempt("link", store, () => {
      if (disk.top !== undefined) fs.linkSync(disk.top, fresh)
      fs.renameSync(fresh, store)
    }).pipe(Effect.mapError(fileFailedAt("disk", store)))
  })

/** Gives the VM's store the name `top`, in place of an empty one. Both names must be on one file system. */
export const nameStore = (paths: VmPaths, top: string) =>
  attempt("link", top, () => {
    const linked = `${top}.tmp`
    fs.rmSync(linked, { force: true })
    fs.linkSync(path.join(paths.directory, names.store), linked)
    // Firecracker under a guest's control may have put a symbolic link in the store's place.
    const isStore = fs.lstatSync(linked).isFile()
    if (isStore) fs.renameSync(linked, top)
    else fs.rmSync(linked)
    return isStore
  }).pipe(
    Effect.mapError(fileFailedAt("disk", top)),
    Effect.flatMap((isStore) => isStore ? Effect.void : vmFailed("disk", "its store is no regular file"))
  )

/** Files of a folder that are the VM's store under another name. */
const namesOfStore = (folder: string, store: string) => {
  const { dev, ino } = fs.lstatSync(store)
  return fs.readdirSync(folder).map((name) => path.join(folder, name)).filter((file) => {
    const stat = fs.lstatSync(file)
    return stat.ino === ino && stat.dev === dev
  })
}

/**
 * Freezes the content of a paused VM's store: a copy takes the store's names in the folder of `top`, and the VM continues on the same file
 * under the name `top`. A crash in between leaves `top` without content, or the frozen file as another name of the store; either way the
 * newest file has the whole disk. Only the name in the VM's own folder is within Firecracker's reach, so the others are used.
 */
export const freezeStore = (paths: VmPaths, top: string): Effect.Effect<void, VmFailed | NoSpace | HostToolMissing> =>
  Effect.gen(function*() {
    const folder = path.dirname(top)
    const copy = path.join(folder, "frozen.tmp")
    yield* Effect.ignore(removeFile(copy))
    const before = yield* Effect.mapError(
      attempt(
        "readdir",
        folder,
        () => namesOfStore(folder, path.join(paths.directory, names.store)).filter((file) => file !== top)
      ),
      fileFailedAt("freeze disk", folder)
    )
    const [store] = before
    if (store === undefined) return yield* vmFailed("freeze disk", "its store is not the workspace's any more")
    yield* copySparse(store, copy, process.getuid?.() ?? 0)
    yield* attempt("link", folder, () => {
      fs.chmodSync(copy, 0o444)
      const put = (file: string, name: string) => {
        fs.rmSync(`${name}.tmp`, { force: true })
        fs.linkSync(file, `${name}.tmp`)
        fs.renameSync(`${name}.tmp`, name)
      }
      put(store, top)
      for (const name of before) put(copy, name)
      fs.rmSync(copy)
    }).pipe(Effect.mapError(fileFailedAt("freeze disk", folder)))
  })
