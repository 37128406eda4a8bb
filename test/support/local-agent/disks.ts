import { Effect, Semaphore } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { type HostToolMissing, type ImageDamaged, type NoSpace, VmFailed } from "../../../src/contract/errors/errors.ts"
import { qcow2Header } from "../../../src/lib/disk/qcow2.ts"
import { type DiskSource, linkImage, type Seed } from "../../../src/lib/disk/workspace-disk.ts"
import type { Ownership } from "../../../src/lib/vm/driver/ownership.ts"
import { failedAt, fileFailedAt } from "../../../src/lib/vm/model/failure.ts"
import type { VmPaths } from "../../../src/lib/vm/model/record.ts"
import type { VmDisks } from "../../../src/lib/vm/model/Vm.ts"
import { linkFile, removeFile, renameFile, setMode } from "../../../src/system/files/entries.ts"
import { attempt } from "../../../src/system/files/failure.ts"
import { type Directories, fillLayer, layerTree, passOn } from "./directories.ts"
import type { VisibleDirectories } from "./sandbox.ts"
import { seedDirectory } from "./seed-directory.ts"

type DiskError = VmFailed | NoSpace | HostToolMissing | ImageDamaged

/** Numbers of the layers in a folder, ascending. */
const numbersIn = (folder: string) =>
  fs.readdirSync(folder).flatMap((name) => /^(\d+)\.qcow2$/.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b)

const layerIn = (folder: string, number: number) => path.join(folder, `${number}.qcow2`)

/** A VM's own names of its disk's files: frozen layers in the folder `images`, the written layer in the folder `run`. */
const placed = (paths: VmPaths) => {
  const seedPath = path.join(paths.images, "seed.ext4")
  const seed: Seed = { path: seedPath, virtualBytes: fs.statSync(seedPath).size }
  const number = numbersIn(paths.run).at(-1) ?? 0
  return {
    seed,
    layers: numbersIn(paths.images).map((one) => layerIn(paths.images, one)),
    number,
    top: layerIn(paths.run, number)
  }
}

const hold = (image: string, held: string) =>
  Effect.mapError(
    linkImage(image, held),
    (failure) => failure._tag === "StateDirectoryUnusable" ? failedAt("disk")(failure) : failure
  )

const writeEmpty = (file: string, virtualBytes: number) =>
  attempt("write", file, () => fs.writeFileSync(file, qcow2Header({ virtualBytes }), { mode: 0o600, flag: "wx" })).pipe(
    Effect.mapError(fileFailedAt("disk", file))
  )

const link = (file: string, to: string) => Effect.mapError(linkFile(file, to), fileFailedAt("disk", file))

/** Directory with the newest content of a disk: of the newest layer that was ever written, else of the seed. */
const newestTree = (directories: Directories, layers: ReadonlyArray<string>, seed: Seed) =>
  Effect.gen(function*() {
    for (const layer of [...layers].reverse()) {
      const tree = yield* layerTree(directories, layer, seed.virtualBytes)
      if (tree !== undefined) return tree
    }
    return yield* seedDirectory(directories.cacheDir, seed)
  })

/** Directories of a VM's disk. The written layer gets one, unless an earlier VM has written the layer. */
const openPlaced = (directories: Directories, paths: VmPaths): Effect.Effect<VisibleDirectories, DiskError> =>
  Effect.gen(function*() {
    const { layers, seed, top } = placed(paths)
    const { virtualBytes } = seed
    const disk = (yield* layerTree(directories, top, virtualBytes)) ??
      (yield* Effect.flatMap(
        newestTree(directories, layers, seed),
        (newest) => fillLayer(directories, top, virtualBytes, newest)
      ))
    return { disk, seed: yield* seedDirectory(directories.cacheDir, seed) }
  })

/** Takes hold of a disk's files in the VM's folder, and gives the directories that stand for the disk. */
export const placeDisk = (directories: Directories, paths: VmPaths, { layers = [], seed, top }: DiskSource) =>
  Effect.gen(function*() {
    yield* hold(seed.path, path.join(paths.images, "seed.ext4"))
    for (const [number, layer] of layers.entries()) {
      const held = layerIn(paths.images, number)
      yield* hold(layer, held)
      yield* closeToWriters(held)
    }
    const own = layerIn(paths.run, layers.length)
    yield* top === undefined ? writeEmpty(own, seed.virtualBytes) : link(top, own)
    return yield* openPlaced(directories, paths)
  })

const closeToWriters = (file: string) => Effect.mapError(setMode(file, 0o444), fileFailedAt("disk", file))

/** Brings the folder of a VM to one of the two states between which a crash cut a freeze short. */
export const settleDisk = (directories: Directories, paths: VmPaths): Effect.Effect<void, DiskError> =>
  Effect.gen(function*() {
    const [before, after] = numbersIn(paths.run)
    if (before === undefined || after === undefined) return
    const { seed, top } = placed(paths)
    const isFrozen = (yield* layerTree(directories, top, seed.virtualBytes)) !== undefined
    yield* attempt("rename", paths.run, () =>
      isFrozen
        ? fs.renameSync(layerIn(paths.run, before), layerIn(paths.images, before))
        : fs.rmSync(top)).pipe(Effect.mapError(fileFailedAt("attach", paths.run)))
  })

/** The disks of one running agent. */
export interface LocalDisks extends VmDisks {
  /** Ends the layer that is written, while no process of the VM runs (as `Vm.freezeLayer`). Gives the VM's names of the frozen layers. */
  readonly freeze: (top: string | undefined) => Effect.Effect<ReadonlyArray<string>, VmFailed | NoSpace | ImageDamaged>
  /** Directory with the content of the disk. */
  readonly tree: Effect.Effect<string, DiskError>
  /** Makes a layer with a copy of the disk, while no process of the VM runs. */
  readonly copy: (to: string) => Effect.Effect<void, DiskError>
}

export const makeDisks = (
  directories: Directories,
  ownership: Ownership,
  resume: Effect.Effect<void, VmFailed>
): Effect.Effect<LocalDisks> =>
  Effect.map(Semaphore.make(1), (one) => {
    const { paths } = ownership

    const freeze: LocalDisks["freeze"] = (top) =>
      Effect.gen(function*() {
        const { number, seed: { virtualBytes }, top: ended } = placed(paths)
        const next = layerIn(paths.run, number + 1)
        yield* (top === undefined ? writeEmpty(next, virtualBytes) : link(top, next)).pipe(
          Effect.andThen(passOn(directories, ended, next, virtualBytes)),
          Effect.mapError((failure) => failure._tag === "HostToolMissing" ? failedAt("freeze disk")(failure) : failure),
          Effect.onError(() =>
            Effect.ignoreCause(
              Effect.forEach([next, top], (file) => file === undefined ? Effect.void : removeFile(file))
            )
          )
        )
        const frozen = layerIn(paths.images, number)
        yield* Effect.mapError(renameFile(ended, frozen), fileFailedAt("freeze disk", paths.run))
        yield* closeToWriters(frozen)
        return placed(paths).layers
      }).pipe(Effect.uninterruptible, one.withPermits(1))

    const tree = Effect.suspend(() => {
      const { layers, seed, top } = placed(paths)
      return newestTree(directories, [...layers, top], seed)
    })

    const copy: LocalDisks["copy"] = (to) =>
      Effect.gen(function*() {
        const { seed: { virtualBytes } } = placed(paths)
        yield* writeEmpty(to, virtualBytes)
        yield* fillLayer(directories, to, virtualBytes, yield* tree)
        yield* closeToWriters(to)
      }).pipe(one.withPermits(1))

    const handOver: VmDisks["handOver"] = (purpose, top) =>
      Effect.gen(function*() {
        yield* ownership.update((record) => ({ ...record, purpose }))
        if (top !== undefined) {
          yield* attempt("link", top, () => {
            fs.linkSync(placed(paths).top, `${top}.tmp`)
            fs.renameSync(`${top}.tmp`, top)
          }).pipe(Effect.mapError(fileFailedAt("disk", top)))
        }
        yield* resume
      }).pipe(one.withPermits(1))

    const merge: VmDisks["merge"] = () =>
      Effect.gen(function*() {
        const { layers, number, seed } = placed(paths)
        const merged = path.join(paths.run, `merged-${number}.qcow2`)
        yield* writeEmpty(merged, seed.virtualBytes)
        yield* Effect.flatMap(
          newestTree(directories, layers, seed),
          (newest) => fillLayer(directories, merged, seed.virtualBytes, newest)
        )
        return merged
      }).pipe(
        Effect.mapError((failure) => failure._tag === "NoSpace" ? failure : failedAt("merge layers")(failure)),
        one.withPermits(1)
      )

    const replace: VmDisks["replace"] = ({ count, file, from }) =>
      Effect.gen(function*() {
        const replaced = placed(paths).layers.slice(from, from + count)
        const [oldest] = replaced
        if (oldest === undefined) return
        yield* Effect.mapError(Effect.forEach(replaced, removeFile), fileFailedAt("disk", paths.run))
        yield* hold(file, oldest)
        yield* closeToWriters(oldest)
      }).pipe(one.withPermits(1))

    return {
      layerCount: Effect.sync(() => placed(paths).layers.length + 1),
      freeze,
      tree,
      copy,
      handOver,
      merge,
      replace,
      switchTo: () =>
        new VmFailed({
          step: "switch disks",
          detail: "a local agent keeps the disk that it was started with",
          consoleTail: ""
        })
    }
  })
