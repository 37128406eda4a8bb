import { Effect } from "effect"
import * as path from "node:path"
import type { HostToolMissing, ImageDamaged, NoSpace, VmFailed } from "../../../../contract/errors/errors.ts"
import { removeTree } from "../../../../system/files/remove-tree.ts"
import { failedAt, vmFailed } from "../../model/failure.ts"
import type { DiskState, VmPaths } from "../../model/record.ts"
import type { Merged } from "../../model/Vm.ts"
import { placeLayer, placeOverlay } from "./disks.ts"
import { overlayNode } from "./machine.ts"
import type { Qmp } from "./qmp.ts"

/** The VM of the disk: its monitor and its folder. */
interface Owner {
  readonly qmp: Qmp
  readonly paths: VmPaths
  readonly uid: number
}

const failed = Effect.mapError(failedAt("merge layers"))

interface Job {
  readonly id: string
  readonly status: string
  readonly error?: string
}

/** Waits until a job is in one of these states. */
const awaitJob = (qmp: Qmp, id: string, states: ReadonlyArray<string>): Effect.Effect<Job | undefined, VmFailed> =>
  Effect.flatMap(failed(qmp.execute("query-jobs")), (jobs) => {
    const job = (jobs as ReadonlyArray<Job>).find((one) => one.id === id)
    return job === undefined || states.includes(job.status)
      ? Effect.succeed(job)
      : Effect.delay(Effect.suspend(() => awaitJob(qmp, id, states)), "50 millis")
  })

/**
 * Writes the content of the layers from `from` to the newest frozen one into one new file above the lower layers. Gives its host path. The
 * VM's own disk stays unchanged. QEMU streams, and the job is cancelled before it would write a backing name into the header. The file is
 * then reopened read-only, which flushes it and fails if the flush fails.
 */
export const mergeLayers = (
  { paths, qmp, uid }: Owner,
  state: DiskState,
  from: number
): Effect.Effect<string, VmFailed | NoSpace> =>
  Effect.gen(function*() {
    const id = `w${state.next}`
    const file = yield* placeOverlay(paths, uid, state.virtualBytes, `${state.next}.qcow2`)
    const source = state.overlayNodes.at(-2) ?? state.seedNode
    const base = state.overlayNodes[from - 1] ?? state.seedNode
    yield* failed(qmp.execute("blockdev-add", overlayNode(file, id, source)))
    const manual = { "auto-finalize": false, "auto-dismiss": false }
    yield* failed(qmp.execute("block-stream", { "job-id": id, device: id, "base-node": base, ...manual }))
    const streamed = yield* awaitJob(qmp, id, ["pending", "concluded"])
    if (streamed?.status !== "pending") {
      return yield* vmFailed("merge layers", streamed?.error ?? "the job is gone")
    }
    yield* failed(qmp.execute("job-cancel", { id }))
    yield* awaitJob(qmp, id, ["concluded"])
    yield* failed(qmp.execute("job-dismiss", { id }))
    yield* failed(qmp.execute("blockdev-reopen", { options: [overlayNode(file, id, source, true)] }))
    yield* failed(qmp.execute("blockdev-del", { "node-name": id }))
    return path.join(paths.directory, file)
  })

/** The disk's state once the file has replaced the layers. */
export const withMerged = (state: DiskState, { count, from }: Merged, file: string): DiskState => {
  const { disks, next, overlayNodes } = state
  const replaced = <A>(all: ReadonlyArray<A>, one: A) =>
    [...all.slice(0, from), one, ...all.slice(from + count)] as unknown as readonly [A, ...ReadonlyArray<A>]
  return {
    ...state,
    disks: { ...disks, overlays: replaced(disks.overlays, file) },
    overlayNodes: replaced(overlayNodes, `w${next}`),
    next: next + 1
  }
}

/**
 * Makes a running VM read one file in place of several layers of its disk. Gives the disk's new state. The old images are closed, and the
 * VM's names of them removed. Nothing changes before `announce` is done.
 */
export const replaceLayers = (
  { paths, qmp }: Owner,
  before: DiskState,
  merged: Merged,
  announce: (next: number) => Effect.Effect<unknown>
): Effect.Effect<DiskState, VmFailed | NoSpace | HostToolMissing | ImageDamaged> =>
  Effect.gen(function*() {
    const { count, from } = merged
    const above = from + count
    const upper = before.overlayNodes[above]
    if (upper === undefined) {
      return yield* vmFailed("merge layers", "no layer lies above")
    }
    const file = yield* placeLayer(paths, merged.file, before.virtualBytes, `${before.next}.qcow2`)
    const after = withMerged(before, merged, file)
    yield* announce(after.next)
    const node = after.overlayNodes[from]!
    const isFrozen = above < before.overlayNodes.length - 1
    yield* failed(
      qmp.execute("blockdev-add", overlayNode(file, node, before.overlayNodes[from - 1] ?? before.seedNode, true))
    )
    yield* failed(
      qmp.execute("blockdev-reopen", { options: [overlayNode(before.disks.overlays[above]!, upper, node, isFrozen)] })
    ).pipe(Effect.onError(() => Effect.ignore(qmp.execute("blockdev-del", { "node-name": node }))))
    const gone = before.overlayNodes.slice(from, above).reverse()
    yield* Effect.ignoreCause(
      qmp.executeAll(gone.map((name) => ["blockdev-del", { "node-name": name }] as const))
    )
    yield* Effect.forEach(
      before.disks.overlays.slice(from, above),
      (one) => Effect.ignore(removeTree(path.join(paths.directory, one))),
      { concurrency: "unbounded", discard: true }
    )
    return after
  })
