import { Effect, Option, Ref } from "effect"
import * as fs from "node:fs"
import type { PyroError } from "../../contract/errors.ts"
import type { ForkPayload } from "../../contract/operations/workspace-fork.ts"
import { heldBase } from "../../vm/template/base.ts"
import { alone, aloneFor, type Lifecycle, type LifecycleServices } from "../lifecycle/context.ts"
import { displayName } from "../lifecycle/display-name.ts"
import type { Entry } from "../lifecycle/entry.ts"
import { noStates } from "../residents/states.ts"
import { type CaptureFolder, captureFolder, findSnapshot, type Taken } from "./record.ts"
import { demandLoadable, demandSame, fill, release, reserve, type Reserved } from "./restore.ts"
import { identityOf, seedOf, take } from "./take.ts"

/** What forks are made from: a folder of the first of them, and a VM for each with the memory in it. */
export interface Staged {
  readonly folder: CaptureFolder
  readonly taken: Taken
  /** None where the files alone are taken. */
  readonly vms: ReadonlyArray<Reserved>
}

/** Further names of everything of a snapshot: it may be deleted while forks are made of it. */
const stageSnapshot = (
  lifecycle: Lifecycle,
  source: Entry,
  name: string,
  diskOnly: boolean,
  children: ReadonlyArray<Entry>
) =>
  Effect.gen(function*() {
    const snapshot = yield* findSnapshot(source, name)
    const { folder, record: { taken } } = snapshot
    const record = yield* Ref.get(source.record)
    const memory = diskOnly ? undefined : taken.memory
    const images = yield* heldBase(source.folder.base)
    if (memory !== undefined) yield* demandLoadable(snapshot, images, seedOf(source, record))
    const staged = captureFolder(children[0]!.folder.staged)
    yield* Effect.promise(() => linkTree(folder.directory, staged.directory))
    return { staged, taken, memory }
  }).pipe(alone(lifecycle, source))

const linkTree = async (from: string, to: string): Promise<void> => {
  await fs.promises.mkdir(to, { mode: 0o700 })
  for (const one of await fs.promises.readdir(from, { withFileTypes: true })) {
    if (one.isDirectory()) await linkTree(`${from}/${one.name}`, `${to}/${one.name}`)
    else await fs.promises.link(`${from}/${one.name}`, `${to}/${one.name}`)
  }
}

const reserveFor = (
  lifecycle: Lifecycle,
  source: Entry,
  spec: NonNullable<Taken["memory"]>["spec"],
  children: ReadonlyArray<Entry>
) =>
  Effect.gen(function*() {
    const wanted = yield* Effect.forEach(children, (child) =>
      Effect.gen(function*() {
        const record = yield* Ref.get(child.record)
        return {
          record,
          images: yield* heldBase(child.folder.base),
          seed: seedOf(source, yield* Ref.get(source.record))
        }
      }))
    return yield* reserve(lifecycle, spec, wanted)
  })

/** The workspace as it is now, its memory copied straight into the first fork's VM. */
const stageNow = (lifecycle: Lifecycle, source: Entry, diskOnly: boolean, children: ReadonlyArray<Entry>) =>
  Effect.gen(function*() {
    const folder = captureFolder(children[0]!.folder.staged)
    yield* Effect.sync(() => fs.mkdirSync(folder.directory, { mode: 0o700 }))
    const generation = Option.getOrUndefined(yield* Ref.get(source.generation))
    if (generation === undefined || diskOnly) return { folder, taken: yield* take(source, folder, undefined), vms: [] }
    const { captured, here } = yield* identityOf(source, generation)
    yield* demandSame(`workspace ${yield* displayName(source)}`, captured, here)
    const vms = yield* reserveFor(lifecycle, source, generation.guest.vm.spec, children)
    return yield* take(source, folder, vms[0]!.vm.memory).pipe(
      Effect.map((taken): Staged => ({ folder, taken, vms })),
      Effect.onError(() => release(vms))
    )
  }).pipe(aloneFor(lifecycle, source, "workspace.fork"))

/** Takes what `children` are made from; none of them runs yet. Whoever gets it removes the folder and releases the VMs. */
export const stage = (
  lifecycle: Lifecycle,
  source: Entry,
  payload: ForkPayload,
  children: ReadonlyArray<Entry>
): Effect.Effect<Staged, PyroError, LifecycleServices> =>
  Effect.gen(function*() {
    const diskOnly = payload.diskOnly === true
    const { snapshot } = payload
    if (snapshot === undefined) {
      const staged = yield* stageNow(lifecycle, source, diskOnly, children)
      const [first, ...others] = staged.vms
      if (first === undefined) return staged
      // Nobody runs on the first one's memory yet.
      const { memory } = first.vm
      yield* Effect.forEach(others, (vm) => fill(vm, memory.path), { discard: true }).pipe(
        Effect.onError(() => release(staged.vms))
      )
      return staged
    }
    const { memory, staged: folder, taken } = yield* stageSnapshot(lifecycle, source, snapshot, diskOnly, children)
    if (memory === undefined) {
      return { folder, taken: { takenAtMs: taken.takenAtMs, layers: taken.layers, residents: noStates }, vms: [] }
    }
    const vms = yield* reserveFor(lifecycle, source, memory.spec, children)
    yield* Effect.forEach(vms, (vm) => fill(vm, folder.frozen.memoryPath), { discard: true }).pipe(
      Effect.onError(() => release(vms))
    )
    return { folder, taken, vms }
  })
