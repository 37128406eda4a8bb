import type { Told } from "../../../../src/contract/rows/notice.ts"
import type { CandidateResult } from "../../../../src/contract/rows/workspace-try-fields.ts"
import type { TryEvent } from "../../../../src/contract/rows/workspace-try.ts"
import { announcement } from "../live/action.ts"
import { makeStore, type Store } from "../live/store.ts"
import { perform } from "../wire/calls.ts"
import { candidatesOf, type Request } from "./candidates.ts"

/** A try of a workspace, as far as it has come. */
export interface Trial {
  readonly state: "running" | "done" | "cancelled" | "failed"
  /** Names of the candidates, in the order of the request. */
  readonly names: ReadonlyArray<string>
  readonly started: ReadonlySet<string>
  readonly results: ReadonlyMap<string, CandidateResult>
  readonly notices: ReadonlyArray<Told>
  readonly keep: string
  readonly best?: string
  readonly bestReason?: string
  /** Candidates whose files stay after the try. */
  readonly keepable?: ReadonlyArray<string>
  readonly kept?: string
  /** The point that undoes the keep. */
  readonly undo?: string
  readonly isUndone?: true
  readonly failure?: Error
}

const trials = new Map<string, Store<Trial | undefined>>()
const stops = new Map<string, AbortController>()

/** The last try of a workspace from this page. It goes on while the person looks at another view. */
export const trialOf = (workspace: string): Store<Trial | undefined> => {
  const known = trials.get(workspace)
  if (known !== undefined) return known
  const store = makeStore<Trial | undefined>(undefined)
  trials.set(workspace, store)
  return store
}

/** Whether every candidate has ended, and one may be kept now. */
export const isKeeping = ({ keep, names, results, state }: Trial): boolean =>
  state === "running" && keep !== "none" && results.size === names.length

/** Notices that are shown: a try has few, and none may fill the page. */
const MOST_NOTICES = 50

const after = (trial: Trial, event: TryEvent): Trial =>
  event._tag === "Started"
    ? { ...trial, started: new Set([...trial.started, event.candidate]) }
    : event._tag === "Tried"
    ? { ...trial, results: new Map([...trial.results, [event.result.name, event.result]]) }
    : event._tag === "Notice"
    ? { ...trial, notices: [...trial.notices, event].slice(-MOST_NOTICES) }
    : trial

const endText = ({ kept, results }: Trial) => {
  const passed = [...results.values()].filter(({ outcome }) => outcome === "passed").length
  return `The try has ended: ${passed} of ${results.size} passed.${kept === undefined ? "" : ` ${kept} is kept.`}`
}

/** Begins a try. It ends with the page's connection. */
export const startTrial = async (workspace: string, request: Request): Promise<void> => {
  const store = trialOf(workspace)
  const candidates = candidatesOf(request)
  const stop = new AbortController()
  stops.set(workspace, stop)
  let trial: Trial = {
    state: "running",
    names: candidates.map(({ name }) => name),
    started: new Set(),
    results: new Map(),
    notices: [],
    keep: request.keep
  }
  const show = (next: Trial) => {
    trial = next
    store.set(next)
  }
  show(trial)
  const check = request.check.trim()
  try {
    const { best, bestReason, candidates: results, keepable = [], kept, undo } = await perform(
      "workspace.try",
      {
        workspace,
        candidates,
        ...(check === "" ? {} : { checkScript: check }),
        keep: request.keep,
        stopAtFirstPass: request.stopAtFirstPass,
        ...(request.atOnce === "" ? {} : { maxParallel: Number(request.atOnce) })
      },
      (event) => show(after(trial, event)),
      stop.signal
    )
    show({
      ...trial,
      state: "done",
      results: new Map(results.map((result) => [result.name, result])),
      keepable,
      ...(best === undefined ? {} : { best }),
      ...(bestReason === undefined ? {} : { bestReason }),
      ...(kept === undefined ? {} : { kept }),
      ...(undo === undefined ? {} : { undo })
    })
    announcement.set(endText(trial))
  } catch (problem) {
    if (stop.signal.aborted) {
      show({ ...trial, state: "cancelled" })
      announcement.set("The try is ended. Its candidates are gone.")
    } else show({ ...trial, state: "failed", failure: problem as Error })
  }
}

/** Ends a try, and with it its candidates. */
export const cancelTrial = (workspace: string) => stops.get(workspace)?.abort()

/** Makes a candidate of a try that has ended the workspace. Gives a sentence about that. */
export const keepLater = async (workspace: string, candidate: string): Promise<string> => {
  const { kept, undo, warnings } = await perform("workspace.keep", { workspace, candidate })
  const trial = trialOf(workspace).get()
  if (trial !== undefined) {
    const { isUndone: _, undo: __, ...rest } = trial
    trialOf(workspace).set({
      ...rest,
      kept,
      notices: [...rest.notices, ...warnings].slice(-MOST_NOTICES),
      ...(undo === undefined ? {} : { undo })
    })
  }
  return `${kept} is kept.`
}

/** The kept candidate was discarded again. */
export const markUndone = (workspace: string) => {
  const trial = trialOf(workspace).get()
  if (trial === undefined) return
  const { kept: _, undo: __, ...rest } = trial
  trialOf(workspace).set({ ...rest, isUndone: true })
}
