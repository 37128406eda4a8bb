import { Effect, Ref, type Scope, Semaphore } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { ImageDamaged, NoSpace, VmFailed } from "../../../../contract/errors/errors.ts"
import { attempt } from "../../../../system/files/failure.ts"
import { removeTree } from "../../../../system/files/remove-tree.ts"
import { failedAt } from "../../model/failure.ts"
import type { DiskState } from "../../model/record.ts"
import type { VmDisks } from "../../model/Vm.ts"
import type { Ownership } from "../ownership.ts"
import { nameOverlay, placeDisk, placeOverlay, placeTop } from "./disks.ts"
import { type Disks, overlayNode, seedNode } from "./machine.ts"
import { mergeLayers, replaceLayers } from "./merge-layers.ts"
import type { Qmp } from "./qmp.ts"

/** The disks of one running VM as its driver sees them. */
export interface LiveDisks extends VmDisks {
  readonly current: Effect.Effect<Disks>
  /**
   * Opens a new, empty overlay for the workspace disk, and runs `paused` with a step that switches the VM to it. `paused` runs the step
   * while the VM is paused, so that the disk fits a capture of the memory. The step gives the host path of the former overlay, which has no
   * writer from then on. `top` is the new overlay if it outlives the VM (as `DiskSource.top`); it is removed if the step was not done.
   */
  readonly freezeLayer: <A, E, R>(
    top: string | undefined,
    paused: (freeze: Effect.Effect<string, VmFailed>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | VmFailed | NoSpace | ImageDamaged, R>
}

/** The disk at QEMU's start: nodes and files have the same numbers. */
export const firstDiskState = (
  placed: { readonly seed: string; readonly layers: ReadonlyArray<string>; readonly top: string },
  virtualBytes: number
): DiskState => stateOf(placed, { virtualBytes, first: 0, seedNode: "b0" })

const stateOf = (
  placed: { readonly seed: string; readonly layers: ReadonlyArray<string>; readonly top: string },
  { first, seedNode, virtualBytes }: {
    readonly first: number
    readonly seedNode: string
    readonly virtualBytes: number
  }
): DiskState => {
  const [oldest = placed.top, ...others] = [...placed.layers, placed.top]
  return {
    disks: { seed: placed.seed, overlays: [oldest, ...others] },
    seedNode,
    overlayNodes: [`w${first}`, ...others.map((_, index) => `w${first + index + 1}`)],
    next: first + others.length + 1,
    virtualBytes
  }
}

/** QEMU blocks the guest's disks while it closes a written image, so this waits until after the guest's first steps. */
const closeAfter = "1 second"

type Commands = ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>]>

/** Opens every image of a disk on the image below it. */
const openDisk = ({ disks, overlayNodes, seedNode: seed }: DiskState): Commands => [
  ...seedNode(disks.seed, seed).map((node) => ["blockdev-add", node] as const),
  ...disks.overlays.map((file, index) =>
    [
      "blockdev-add",
      overlayNode(file, overlayNodes[index]!, overlayNodes[index - 1] ?? seed, index < disks.overlays.length - 1)
    ] as const
  )
]

const closeDisk = ({ overlayNodes, seedNode }: DiskState): Commands =>
  [...[...overlayNodes].reverse(), seedNode, `${seedNode}f`].map((node) => ["blockdev-del", { "node-name": node }])

const useDisk = (state: DiskState): Commands => [
  ["qom-set", { path: "/machine/peripheral/vdb", property: "drive", value: state.overlayNodes.at(-1) }],
  ["qom-set", { path: "/machine/peripheral/vdc", property: "drive", value: state.seedNode }]
]

export const makeLiveDisks = (options: {
  readonly qmp: Qmp
  readonly ownership: Ownership
  readonly uid: number
  readonly state: DiskState
  /** Runs after each step that resumes the guest. */
  readonly onResume: Effect.Effect<void>
}): Effect.Effect<LiveDisks, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { onResume, ownership, qmp, uid } = options
    const { paths } = ownership
    const state = yield* Ref.make(options.state)
    const one = yield* Semaphore.make(1)

    const scope = yield* Effect.scope
    const inBackground = <A, E>(work: Effect.Effect<A, E>) => Effect.forkIn(Effect.ignoreCause(work), scope)

    const switchTo: LiveDisks["switchTo"] = (disk, { handOver } = {}) =>
      Effect.gen(function*() {
        const before = yield* Ref.get(state)
        const first = before.next
        const placed = yield* placeDisk(paths, uid, disk, first)
        const after = stateOf(placed, { first, seedNode: `s${first}`, virtualBytes: disk.seed.virtualBytes })
        yield* ownership.update(({ purpose, ...record }) => ({
          ...record,
          purpose: handOver ?? purpose,
          nextDisks: after
        }))
        yield* qmp.executeAll([
          ...openDisk(after),
          ...useDisk(after),
          ...(handOver === undefined ? [] : [["cont"] as const])
        ]).pipe(Effect.mapError(failedAt("switch disks")))
        if (handOver !== undefined) yield* onResume
        yield* Ref.set(state, after)
        // A process that attaches now asks QEMU for the state.
        yield* inBackground(
          ownership.update(({ nextDisks, ...record }) =>
            nextDisks === after ? { ...record, disks: after } : { ...record, ...(nextDisks && { nextDisks }) }
          )
        )
        yield* inBackground(
          Effect.ignore(qmp.executeAll(closeDisk(before))).pipe(
            Effect.andThen(removeFiles(paths.directory, [...before.disks.overlays, before.disks.seed])),
            Effect.delay(handOver === undefined ? 0 : closeAfter)
          )
        )
      }).pipe(one.withPermits(1))

    const handOver: LiveDisks["handOver"] = (purpose, top) =>
      Effect.gen(function*() {
        const { disks } = yield* Ref.get(state)
        yield* ownership.update((record) => ({ ...record, purpose }))
        if (top !== undefined) yield* nameOverlay(paths, disks.overlays.at(-1)!, top)
        yield* Effect.mapError(qmp.execute("cont"), failedAt("resume"))
        yield* onResume
      }).pipe(one.withPermits(1))

    const freezeLayer: LiveDisks["freezeLayer"] = (top, paused) =>
      freezing({ ownership, qmp, state, uid }, top, paused).pipe(one.withPermits(1))

    const merge: LiveDisks["merge"] = (from) =>
      Effect.flatMap(Ref.get(state), (now) => mergeLayers({ qmp, paths, uid }, now, from)).pipe(
        Effect.ensuring(Ref.update(state, (now) => ({ ...now, next: now.next + 1 }))),
        one.withPermits(1)
      )

    const replace: LiveDisks["replace"] = (merged) =>
      Effect.gen(function*() {
        const before = yield* Ref.get(state)
        // After a crash the node of this number may be open, so the next process takes another number.
        const announce = (next: number) =>
          Effect.andThen(
            Ref.update(state, (now) => ({ ...now, next })),
            Effect.ignoreCause(ownership.update((record) => ({ ...record, disks: { ...before, next } })))
          )
        const after = yield* replaceLayers({ qmp, paths, uid }, before, merged, announce)
        yield* Ref.set(state, after)
        yield* Effect.ignoreCause(ownership.update((record) => ({ ...record, disks: after })))
      }).pipe(one.withPermits(1))

    return {
      merge,
      replace,
      current: Effect.map(Ref.get(state), ({ disks }) => disks),
      layerCount: Effect.map(Ref.get(state), ({ disks }) => disks.overlays.length),
      switchTo,
      handOver,
      freezeLayer
    }
  })

/** Adds a layer to the workspace disk (`LiveDisks.freezeLayer`). No other change of the disks may run. */
const freezing = <A, E, R>(
  { ownership, qmp, state, uid }: {
    readonly ownership: Ownership
    readonly qmp: Qmp
    readonly state: Ref.Ref<DiskState>
    readonly uid: number
  },
  top: string | undefined,
  paused: (freeze: Effect.Effect<string, VmFailed>) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const { paths } = ownership
    const before = yield* Ref.get(state)
    const name = `w${before.next}`
    const file = `${before.next}.qcow2`
    const overlay = yield* top === undefined
      ? placeOverlay(paths, uid, before.virtualBytes, file)
      : placeTop(paths, uid, top, before.virtualBytes, file)
    const active = before.overlayNodes.at(-1)!
    const after: DiskState = {
      ...before,
      disks: { ...before.disks, overlays: [...before.disks.overlays, overlay] },
      overlayNodes: [...before.overlayNodes, name],
      next: before.next + 1
    }
    const ended = path.join(paths.directory, before.disks.overlays.at(-1)!)
    const frozen = yield* Ref.make(false)
    const failed = Effect.mapError(failedAt("freeze disk"))
    const undo = Effect.gen(function*() {
      yield* Effect.ignore(qmp.execute("blockdev-del", { "node-name": name }))
      const unused = [path.join(paths.directory, overlay), ...(top === undefined ? [] : [top])]
      yield* Effect.forEach(unused, removeTree, { concurrency: 2, discard: true })
    })
    const settle = Effect.gen(function*() {
      const done = yield* Ref.get(frozen)
      const now = done ? after : { ...before, next: after.next }
      yield* Ref.set(state, now)
      // A process that attaches asks QEMU for the state.
      yield* Effect.ignoreCause(ownership.update(({ nextDisks: _, ...record }) => ({ ...record, disks: now })))
      yield* Effect.ignoreCause(done ? closeToWriters(ended) : undo)
    })
    yield* ownership.update((record) => ({ ...record, disks: before, nextDisks: after }))
    return yield* Effect.ensuring(
      // Without a backing node: the snapshot adds it.
      failed(qmp.execute("blockdev-add", overlayNode(overlay, name, null))).pipe(
        Effect.andThen(paused(
          failed(qmp.execute("blockdev-snapshot", { node: active, overlay: name })).pipe(
            Effect.andThen(Ref.set(frozen, true)),
            Effect.as(ended),
            Effect.uninterruptible
          )
        ))
      ),
      settle
    )
  })

/** The removal of the VM's folder removes them at the latest. */
const removeFiles = (directory: string, files: ReadonlyArray<string>) =>
  Effect.ignoreCause(Effect.forEach(files, (file) => removeTree(path.join(directory, file)), {
    concurrency: "unbounded",
    discard: true
  }))

/** From now on other QEMUs read the file too, and no process writes it. `placeLayer` sets this again. */
const closeToWriters = (file: string) =>
  attempt("chown", file, () => {
    fs.chownSync(file, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
    fs.chmodSync(file, 0o444)
  })
