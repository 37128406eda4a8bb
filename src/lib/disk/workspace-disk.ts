import { Effect } from "effect"
import * as path from "node:path"
import { type HostToolMissing, ImageDamaged, NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { syncFile } from "../../system/files/atomic-file.ts"
import { keepReadOnly, writeFile } from "../../system/files/content.ts"
import {
  ensureFolder,
  exists,
  linkFile,
  listFolder,
  makeFolder,
  removeFile,
  renameFile
} from "../../system/files/entries.ts"
import { attempt, isDiskFull, toHostErrorOf } from "../../system/files/failure.ts"
import { isSameFile } from "../../system/files/host-path.ts"
import { bytesOnDisk } from "../../system/files/usage.ts"
import { runTool } from "../../system/processes/child.ts"
import { fileBytes, freeBytes } from "../../system/processes/host.ts"
import { nativeTool } from "../../system/processes/native.ts"
import { changesOf, emptyLayer, formatOf, isEmptyLayer, type LayerFormat, layerFormats } from "./layer-format.ts"
import { openVerifiedLayer } from "./open-layer.ts"

/** Raw ext4 image that a workspace disk starts from. */
export interface Seed {
  readonly path: string
  /** Size of the disk. The image of a disk that has grown is smaller. */
  readonly virtualBytes: number
}

/** Whether the disk has grown since its creation: its file system grows at the next mount. */
export const hasGrown = ({ seed }: DiskSource): boolean => fileBytes(seed.path) < seed.virtualBytes

/** Parts of a workspace disk, by host path. */
export interface DiskSource {
  readonly seed: Seed
  /** Frozen layers over the seed, oldest first, without a writer. None by default. */
  readonly layers?: ReadonlyArray<string> | undefined
  /**
   * Writable overlay over the layers. The overlay is linked into the VM's folder, so it outlives the VM. One VM at a time may have
   * it. By default the VM gets a new overlay, which ends with the VM.
   */
  readonly top?: string | undefined
}

/** A disk that outlives its VMs: a folder with the linked seed image and at least one layer. */
export interface WorkspaceDisk extends DiskSource {
  readonly layers: ReadonlyArray<string>
  readonly top: string
}

/** Whether nothing was ever written over the seed. */
export const isEmptyDisk = ({ layers = [], seed, top }: DiskSource): boolean =>
  layers.length === 0 && (top === undefined || isEmptyLayer(top, seed.virtualBytes))

/** Whether a disk is an empty layer over this seed, under any name of the seed. */
export const isEmptyOver = (disk: DiskSource, seed: Seed): boolean =>
  isEmptyDisk(disk) && isSameFile(disk.seed.path, seed.path)

/** Whether a disk has exactly the layers and the seed of another one, under any names, and nothing was written over them. */
export const isUnwrittenOver = (disk: DiskSource, { layers = [], seed }: DiskSource): boolean =>
  disk.layers?.length === layers.length &&
  disk.layers.every((file, index) => isSameFile(file, layers[index]!)) &&
  isSameFile(disk.seed.path, seed.path) &&
  (disk.top === undefined || isEmptyLayer(disk.top, disk.seed.virtualBytes))

const seedName = "seed.ext4"

const layerName = new RegExp(`^(0|[1-9]\\d{0,8})\\.(?:${layerFormats.join("|")})$`)

const numberOf = (name: string) => Number(layerName.exec(name)?.[1] ?? Number.NaN)

const layerFile = (folder: string, number: number, format: LayerFormat) => path.join(folder, `${number}.${format}`)

/** Links a seed and layers into a new folder. */
const linkLayers = (seed: Seed, layers: ReadonlyArray<string>, to: string) =>
  makeFolder(to).pipe(
    Effect.andThen(linkFile(seed.path, path.join(to, seedName))),
    Effect.andThen(
      Effect.forEach(layers, (file, number) => linkFile(file, layerFile(to, number, formatOf(file))), { discard: true })
    )
  )

/** Names of the layers in a disk's folder, the oldest first. */
const layerNames = (folder: string) =>
  Effect.map(
    listFolder(folder),
    (names) => names.filter((name) => !Number.isNaN(numberOf(name))).sort((a, b) => numberOf(a) - numberOf(b))
  )

/** Links the seed image into a disk's folder. Makes a missing folder, and keeps a seed that the folder already has. */
export const linkSeed = (
  folder: string,
  seed: string
): Effect.Effect<void, LinkFailed> =>
  Effect.gen(function*() {
    const link = path.join(folder, seedName)
    yield* Effect.mapError(ensureFolder(folder), toHostErrorOf(folder))
    if (!exists(link)) yield* linkImage(seed, link)
  })

/**
 * Makes a new, empty layer on top of a disk's layers, and gives its host path. The layer appears whole or not at all. Layers of
 * `virtualBytes` fit only a seed of that size. All layers of a disk have the format of its first one.
 */
export const makeWorkspaceDisk = (
  folder: string,
  virtualBytes: number,
  first: LayerFormat = "qcow2"
): Effect.Effect<string, NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    yield* ensureFolder(folder)
    const last = (yield* layerNames(folder)).at(-1)
    const format = last === undefined ? first : formatOf(last)
    const file = layerFile(folder, last === undefined ? 0 : numberOf(last) + 1, format)
    const temporary = `${file}.tmp`
    yield* writeFile(temporary, emptyLayer(format, virtualBytes)).pipe(
      Effect.andThen(renameFile(temporary, file)),
      Effect.tapError(() => Effect.ignore(removeFile(temporary)))
    )
    return file
  }).pipe(Effect.mapError(toHostErrorOf(folder)))

/** Number of layers in a disk's folder. */
export const layerCount = (folder: string): Effect.Effect<number, NoSpace | StateDirectoryUnusable> =>
  Effect.mapBoth(layerNames(folder), { onSuccess: (names) => names.length, onFailure: toHostErrorOf(folder) })

/**
 * Links the seed image and the oldest `count` layers of a disk into the new folder of another disk. No process may write these layers
 * any more. The two folders are independent.
 */
export const shareLayers = (
  from: string,
  to: string,
  count: number
): Effect.Effect<void, LinkFailed> =>
  Effect.gen(function*() {
    yield* linkSeed(to, path.join(from, seedName))
    const names = yield* Effect.mapError(layerNames(from), toHostErrorOf(from))
    if (names.length < count) return yield* new ImageDamaged({ path: from, detail: "one of its layers is gone" })
    for (const name of names.slice(0, count)) yield* linkImage(path.join(from, name), path.join(to, name))
  })

/** Layers that a merged file replaces: `count` layers from number `from` on. */
export interface MergedLayers {
  readonly from: number
  readonly count: number
  /** Host path of a file with the content of the layers. */
  readonly file: string
}

/**
 * Links a disk into a new folder: its seed, `merged` in place of the replaced layers, and all other layers with the writable one. Both
 * folders have the same files, so each sees all writes. New files are durable at the end. Fails if the file system has no hard links.
 */
export const linkMerged = (
  from: WorkspaceDisk,
  to: string,
  merged: MergedLayers
): Effect.Effect<void, NoSpace | StateDirectoryUnusable | ImageDamaged> =>
  Effect.scoped(Effect.gen(function*() {
    const fd = yield* openVerifiedLayer(merged.file, from.seed)
    const files = [...from.layers, from.top]
    files.splice(merged.from, merged.count, merged.file)
    yield* Effect.gen(function*() {
      yield* keepReadOnly(fd, merged.file)
      yield* linkLayers(from.seed, files, to)
      yield* syncFile(layerFile(to, merged.from, formatOf(merged.file)))
      yield* syncFile(to)
    }).pipe(Effect.mapError(toHostErrorOf(to)))
  }))

/**
 * Links a disk into a new folder, with a new, larger layer on top. Both folders have the same files, so no process may write the old
 * top any more. The folder is durable at the end. Fails if the file system has no hard links.
 */
export const linkGrown = (
  from: WorkspaceDisk,
  to: string,
  virtualBytes: number
): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    const isEmpty = isEmptyLayer(from.top, from.seed.virtualBytes)
    yield* linkLayers(from.seed, isEmpty ? from.layers : [...from.layers, from.top], to)
    const top = yield* makeWorkspaceDisk(to, virtualBytes, formatOf(from.top))
    yield* syncFile(top)
    yield* syncFile(to)
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(to)(failure))))

/**
 * The disk in a folder, its layers in order. Fails with ImageDamaged if a part is missing. A VM compares the headers when it takes
 * the disk.
 */
export const readWorkspaceDisk = (folder: string, virtualBytes: number): Effect.Effect<WorkspaceDisk, ImageDamaged> =>
  Effect.gen(function*() {
    const damaged = (detail: string) => new ImageDamaged({ path: folder, detail })
    const seed = path.join(folder, seedName)
    if (!exists(seed)) return yield* damaged(`${seedName} is gone`)
    const names = yield* Effect.mapError(layerNames(folder), ({ detail }) => damaged(detail))
    if (names.some((name, index) => numberOf(name) !== index)) return yield* damaged("one of its layers is gone")
    const layers = names.map((name) => path.join(folder, name))
    const top = layers.pop()
    if (top === undefined) return yield* damaged("it has no layer")
    return { seed: { path: seed, virtualBytes }, layers, top }
  })

/** Another file system, too many links, or a file system or a rule of the kernel that has none. */
const cannotLink: ReadonlyArray<string | undefined> = ["EXDEV", "EMLINK", "EPERM", "EOPNOTSUPP"]

/** Exit status of pyro-copy for a full file system (native/copy/copy.c). */
const copyFull = 3

type LinkFailed = NoSpace | HostToolMissing | StateDirectoryUnusable | ImageDamaged

/**
 * Links an image of the cache into a user's folder, so that the image outlives its eviction. The new file is a hard link, or else a
 * copy that shares blocks or omits holes. The path `link` must be free. Fails with ImageDamaged if the image was evicted meanwhile:
 * request the image again.
 */
export const linkImage = (image: string, link: string): Effect.Effect<void, LinkFailed> =>
  Effect.catch(linkFile(image, link), (failure): Effect.Effect<void, LinkFailed> => {
    if (!exists(image)) return new ImageDamaged({ path: image, detail: "it is gone" })
    if (isDiskFull(failure)) return Effect.fail(toHostErrorOf(path.dirname(link))(failure))
    return cannotLink.includes(failure.code) ? copyImage(image, link) : unusable(link, failure.detail)
  })

const mib = 1024 * 1024

/** Copies what was written over the seed of a disk of stores that no VM writes: of the newest one that is not empty. */
export const copyNewestStore = ({ layers, top }: WorkspaceDisk, to: string): Effect.Effect<void, LinkFailed> => {
  const newest = [...layers, top].findLast((file) => fileBytes(file) > 0)
  return newest === undefined
    ? Effect.mapError(writeFile(to, emptyLayer("store", 0)), toHostErrorOf(to))
    : copyImage(newest, to)
}

/**
 * Makes a disk of a copy with changes beside it: both together are the layer that is written, so that nothing is copied twice. Gives false, and makes
 * nothing, if the newest layer of `from` has no changes.
 */
export const makeDiskOfCopy = (from: string, to: string): Effect.Effect<boolean, LinkFailed> =>
  Effect.gen(function*() {
    const name = (yield* Effect.mapError(layerNames(from), toHostErrorOf(from))).at(-1)
    if (name === undefined) return false
    const [layer, changes] = [path.join(from, name), changesOf(path.join(from, name))]
    if (!exists(changes)) return false
    const top = layerFile(to, 0, formatOf(name))
    yield* linkSeed(to, path.join(from, seedName))
    yield* copyImage(layer, `${top}.tmp`, { changes, mode: "0600" })
    yield* Effect.mapError(renameFile(`${top}.tmp`, top), toHostErrorOf(to))
    return true
  })

const copyImage = (
  image: string,
  link: string,
  { changes, mode = "0444" }: { readonly changes?: string; readonly mode?: string } = {}
) =>
  Effect.gen(function*() {
    const tool = yield* nativeTool("pyro-copy")
    const over = changes === undefined ? [] : ["--over", changes]
    const { code, stderr } = yield* runTool(tool, [...over, "--mode", mode, image, link], {
      okCodes: [0, 1, 2, copyFull]
    })
    if (code === copyFull) return yield* full(image, link)
    if (code !== 0) return yield* unusable(link, stderr.trim())
  }).pipe(Effect.catchTag("ToolFailed", (cause) => unusable(link, cause.message)))

const unusable = (link: string, detail: string) =>
  Effect.fail(new StateDirectoryUnusable({ path: path.dirname(link), detail: `cannot hold an image there: ${detail}` }))

const full = (image: string, link: string) =>
  attempt("statfs", link, () => freeBytes(path.dirname(link))).pipe(
    Effect.orElseSucceed(() => 0),
    Effect.flatMap((available) =>
      new NoSpace({
        where: "state directory",
        path: path.dirname(link),
        neededMib: Math.ceil(bytesOnDisk(image) / mib),
        availableMib: Math.floor(available / mib)
      })
    )
  )
