import { Effect, Ref } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, ImageDamaged, NoSpace, VmFailed } from "../contract/errors.ts"
import { makeOverlay, placeImage } from "./disks.ts"
import { failedAt, fileFailedAt } from "./failure.ts"
import { type Disks, overlayNode, seedNode } from "./machine.ts"
import type { Qmp } from "./qmp.ts"
import type { VmPaths } from "./record.ts"

/** Which images a running VM has open, and under which names QEMU knows them. */
interface State {
  readonly disks: Disks
  readonly seedNode: string
  /** Nodes of the overlays, in their order. */
  readonly overlayNodes: ReadonlyArray<string>
  /** Number for the next file and node, so that no name comes twice. */
  readonly next: number
}

/** What to switch a VM to. Sizes must be those of the disks it was started with. */
export interface NewDisks {
  readonly seed: { readonly path: string; readonly virtualBytes: number }
}

/** The disks of one running VM. */
export interface LiveDisks {
  readonly current: Effect.Effect<Disks>
  /**
   * Puts a new, empty workspace disk on `seed` and makes `seed` the baseline. Only while the guest has neither of the two mounted:
   * the kernel drops a device's cache at the last unmount, and so meets nothing stale. The old overlay is removed.
   */
  readonly switchTo: (disks: NewDisks) => Effect.Effect<void, VmFailed | NoSpace | HostToolMissing | ImageDamaged>
  /**
   * Ends the overlay that is written now and goes on with a new, empty one over it. Gives the host path of the ended one, which
   * nobody writes any longer. While the VM is paused, so that it fits a capture of its memory.
   */
  readonly freezeLayer: Effect.Effect<string, VmFailed | NoSpace>
}

export const makeLiveDisks = (options: {
  readonly qmp: Qmp
  readonly paths: VmPaths
  readonly uid: number
  readonly virtualBytes: number
  readonly disks: Disks
}): Effect.Effect<LiveDisks> =>
  Effect.gen(function*() {
    const { paths, qmp, uid, virtualBytes } = options
    const state = yield* Ref.make<State>({
      disks: options.disks,
      seedNode: "b0",
      overlayNodes: options.disks.overlays.map((_, index) => `w${index}`),
      next: options.disks.overlays.length
    })
    const one = yield* Effect.makeSemaphore(1)

    const switchTo: LiveDisks["switchTo"] = ({ seed }) =>
      Effect.gen(function*() {
        const before = yield* Ref.get(state)
        const number = before.next
        const [seedName, overlayName] = [`s${number}`, `w${number}`]
        const seedFile = yield* placeImage(paths, seed.path, `${number}.ext4`)
        const overlay = yield* makeOverlay(paths, uid, virtualBytes, `${number}.qcow2`)
        const [file, raw] = seedNode(seedFile, seedName)
        yield* qmp.executeAll([
          ["blockdev-add", file],
          ["blockdev-add", raw],
          ["blockdev-add", overlayNode(overlay, overlayName, seedName)],
          ["qom-set", { path: "/machine/peripheral/vdb", property: "drive", value: overlayName }],
          ["qom-set", { path: "/machine/peripheral/vdc", property: "drive", value: seedName }],
          ...[...before.overlayNodes].reverse().map((
            node
          ): [string, Record<string, unknown>] => ["blockdev-del", { "node-name": node }]),
          ["blockdev-del", { "node-name": before.seedNode }],
          ["blockdev-del", { "node-name": `${before.seedNode}f` }]
        ]).pipe(Effect.mapError(failedAt("switch disks")))
        yield* Ref.set(state, {
          disks: { overlays: [overlay], seed: seedFile },
          seedNode: seedName,
          overlayNodes: [overlayName],
          next: number + 1
        })
        yield* removeFiles(paths, [...before.disks.overlays, before.disks.seed])
      }).pipe(one.withPermits(1))

    const freezeLayer = Effect.gen(function*() {
      const before = yield* Ref.get(state)
      const name = `w${before.next}`
      const overlay = yield* makeOverlay(paths, uid, virtualBytes, `${before.next}.qcow2`)
      const active = before.overlayNodes[before.overlayNodes.length - 1]!
      yield* qmp.executeAll([
        // Without a backing node yet: the snapshot gives it one.
        ["blockdev-add", overlayNode(overlay, name, null)],
        ["blockdev-snapshot", { node: active, overlay: name }]
      ]).pipe(Effect.mapError(failedAt("freeze disk")))
      const frozen = before.disks.overlays[before.disks.overlays.length - 1]!
      yield* Ref.set(state, {
        disks: { ...before.disks, overlays: [...before.disks.overlays, overlay] },
        seedNode: before.seedNode,
        overlayNodes: [...before.overlayNodes, name],
        next: before.next + 1
      })
      const file = path.join(paths.directory, frozen)
      yield* Effect.try({
        try: () => {
          // From now on others' QEMUs read it too, and nobody writes it.
          fs.chownSync(file, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
          fs.chmodSync(file, 0o444)
        },
        catch: fileFailedAt("freeze disk", file)
      })
      return file
    }).pipe(one.withPermits(1))

    return { current: Effect.map(Ref.get(state), ({ disks }) => disks), switchTo, freezeLayer }
  })

const removeFiles = (paths: VmPaths, files: ReadonlyArray<string>) =>
  Effect.try({
    try: () => {
      for (const file of files) fs.rmSync(path.join(paths.directory, file), { force: true })
    },
    catch: fileFailedAt("switch disks", paths.directory)
  })
