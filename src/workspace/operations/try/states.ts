import { Effect } from "effect"
import * as path from "node:path"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { call, words } from "../../../contract/errors/next-step.ts"
import type { CandidateResult } from "../../../contract/rows/workspace-try-fields.ts"
import { inodeOf, listFolder } from "../../../system/files/entries.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { settingNow } from "../../../system/settings/config.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { alone, type Lifecycle, type Notify } from "../../entry/context.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import type { CaptureFolder, Snapshot } from "../../life/records/snapshot.ts"
import { isOver, readTried, removeTried, TRIED_FOR_MS, writeTried } from "../../life/records/tried.ts"
import { captureHidden, removeHidden } from "../../life/snapshot/hidden.ts"
import { isBetter, isJudged } from "./best.ts"
import { keepSnapshot, type Point } from "./keep.ts"

/** The disk of a candidate that ran to its end. */
interface State {
  readonly index: number
  readonly result: CandidateResult
  readonly snapshot: Snapshot
}

/** The layers of a captured disk, by their inodes. */
const layersIn = ({ disk }: CaptureFolder) =>
  Effect.gen(function*() {
    const names = (yield* listFolder(disk)).filter((name) => name !== "seed.ext4")
    return yield* Effect.forEach(names, (name) => {
      const file = path.join(disk, name)
      return Effect.map(inodeOf(file), (inode = file) => ({ inode, bytes: bytesOnDisk(file) }))
    })
  })

/** Bytes that the candidates of a try may keep after it, which is the room that the points of a workspace may take. */
const budgetBytes = () => settingNow("PYRO_REWIND_MIB") * 1024 * 1024

const byGoodness = (one: State, other: State) =>
  isBetter(one.result, other.result) ? -1 : isBetter(other.result, one.result) ? 1 : one.index - other.index

/**
 * The disks of the candidates, so that one of them can become the workspace after the try. A disk costs what the candidate wrote, and no memory. The Scope
 * removes those that the workspace does not get.
 */
export const makeStates = (lifecycle: Lifecycle, source: Entry, { snapshot: origin, tryId }: Point) =>
  Effect.gen(function*() {
    const states = new Map<string, State>()
    const leave = ({ result, snapshot }: State) =>
      Effect.andThen(removeHidden(snapshot), Effect.sync(() => states.delete(result.name)))
    let isDone = false
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => isDone ? Effect.void : Effect.forEach([...states.values()], leave, { discard: true }))
    )

    /** Stores the disk of a candidate. If that fails, the candidate still counts. */
    const store = (index: number, result: CandidateResult, candidate: Entry) =>
      Effect.suspend(() => {
        if (!isJudged(result) || budgetBytes() === 0) return Effect.void
        const name = `.tried-${tryId}-${index + 1}`
        return captureHidden(candidate, { owner: source, name, candidate: result.name, diskOnly: true }).pipe(
          alone(lifecycle, candidate),
          Effect.map((snapshot) => {
            states.set(result.name, { index, result, snapshot })
            faultPoint("tried:stored")
          }),
          Effect.catch((failure) => Effect.logDebug(`the disk of ${result.name} does not stay: ${failure.message}`)),
          Effect.uninterruptible
        )
      })

    /** Gives the workspace the disks for which there is room, the best first. They replace the disks of the try before. */
    const finish = Effect.gen(function*() {
      const counted = new Set((yield* layersIn(origin.folder)).map(({ inode }) => inode))
      let left = budgetBytes()
      for (const state of [...states.values()].sort(byGoodness)) {
        const own = (yield* layersIn(state.snapshot.folder)).filter(({ inode }) => !counted.has(inode))
        const bytes = own.reduce((sum, layer) => sum + layer.bytes, 0)
        if (bytes > left) yield* leave(state)
        else left -= bytes
      }
      const candidates = [...states.values()].sort((one, other) => one.index - other.index)
      yield* removeTried(source)
      if (candidates.length === 0) return undefined
      const endedAtMs = yield* nowMs
      yield* writeTried(source.folder, {
        endedAtMs,
        candidates: candidates.map(({ result: { name }, snapshot: { record } }) => ({ name, snapshot: record.name }))
      })
      isDone = true
      faultPoint("tried:finished")
      return {
        keepable: candidates.map(({ result }) => result.name),
        keepableUntil: new Date(endedAtMs + TRIED_FOR_MS).toISOString()
      }
    }).pipe(
      alone(lifecycle, source),
      Effect.catch((failure) => Effect.as(Effect.logDebug(`no candidate stays: ${failure.message}`), undefined)),
      Effect.uninterruptible
    )

    return { store, finish }
  })

/** A candidate of the last try becomes the workspace. The caller has the workspace alone. */
export const keepCandidate = (lifecycle: Lifecycle, source: Entry, candidate: string, notify: Notify) =>
  Effect.gen(function*() {
    const tried = readTried(source.folder.directory)
    const called = yield* displayName(source)
    if (tried === undefined || isOver(tried, yield* nowMs)) {
      const isOff = budgetBytes() === 0
      return yield* new InvalidRequest({
        field: "candidate",
        detail: `no candidate of a try of ${called} can be kept: ${
          isOff
            ? "PYRO_REWIND_MIB of the daemon is 0, so none stays after a try"
            : "candidates stay for a day, until the next try, a reset or a restart of the host"
        }`,
        next: isOff
          ? [call("Set another value, and end the daemon", "daemon.stop"), words("Then try them again")]
          : [words("Try them again")]
      })
    }
    const found = tried.candidates.find(({ name }) => name === candidate)
    if (found === undefined) {
      return yield* new InvalidRequest({
        field: "candidate",
        detail: `the last try of ${called} has no candidate ${candidate} to keep; it has ${
          tried.candidates.map(({ name }) => name).join(", ")
        }`
      })
    }
    return yield* keepSnapshot(lifecycle, source, found.snapshot, notify)
  })
