import { Effect, Option, Stream } from "effect"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import type {
  ObservedWorkspace,
  WorkspacesChanged,
  WorkspaceWatchPayload
} from "../../contract/rows/workspace-watch.ts"
import { nowIso } from "../../system/waits/time.ts"
import { damagedInfo } from "../entry/damaged.ts"
import type { Entry } from "../entry/entry.ts"
import type { EventLog } from "../entry/events.ts"
import type { Registry } from "../entry/registry.ts"
import { openResidentsOf } from "../residents/entry-residents.ts"
import { entryOf } from "../residents/exec/logs.ts"
import { infoOf } from "./info.ts"
import { isSame, type Marks, marksOf, untilChanged } from "./marks.ts"
import { type SeenUsage, usageOf } from "./watch.ts"

const observedOf = (entry: Entry, seen: SeenUsage): Effect.Effect<ObservedWorkspace> =>
  Effect.gen(function*() {
    const workspace = yield* infoOf(entry)
    const usage = yield* usageOf(entry, seen)
    const residents = Option.getOrUndefined(yield* openResidentsOf(entry))
    if (residents === undefined) return { workspace, ...usage, commandCount: 0, failedCount: 0 }
    const { commands, network } = residents
    const { execs } = commands.journal
    const last = execs.at(-1)
    const lastDenied = network.log.since(0).findLast(({ outcome }) => outcome === "denied")
    return {
      workspace,
      ...usage,
      ...(last === undefined ? {} : { lastCommand: entryOf(commands, last) }),
      commandCount: execs.length,
      failedCount: execs.filter(({ end }) =>
        end !== undefined && !(end.outcome === "exited" && end.status === 0)
      ).length,
      ...(lastDenied === undefined ? {} : { lastDenied })
    }
  })

const hasLabels = ({ labels }: WorkspaceInfo, wanted: Readonly<Record<string, string>>) =>
  Object.entries(wanted).every(([key, value]) => labels[key] === value)

const byAge = (one: ObservedWorkspace, other: ObservedWorkspace) =>
  one.workspace.createdAt.localeCompare(other.workspace.createdAt)

/** All workspaces at once, then those that change, and after each interval those whose use of the host differs. */
export const observeWorkspaces = (
  log: EventLog["Service"],
  { reachable }: Pick<Registry, "reachable">,
  { intervalMs, labels }: WorkspaceWatchPayload
): Stream.Stream<WorkspacesChanged> =>
  Stream.suspend(() => {
    /** Workspaces as the watcher has them, as JSON. */
    const shown = new Map<string, string>()
    const seen: SeenUsage = new Map()
    let known = log.recorded()
    let isFirst = true

    const marksNow = Effect.flatMap(
      reachable.entries,
      Effect.forEach((entry) => Effect.map(marksOf(entry), (marks) => ({ entry, marks })))
    )
    /** Workspaces without the labels have marks, too, so that a look at them ends no wait. */
    const looked = new Map<string, Marks>()
    const hasChanged = Effect.map(marksNow, (all) =>
      all.length !== looked.size || all.some(({ entry, marks }) => !isSame(looked.get(entry.id), marks)))

    const look = Effect.gen(function*() {
      known = log.recorded()
      const all = yield* marksNow
      looked.clear()
      const found: Array<ObservedWorkspace> = []
      for (const { entry, marks } of all) {
        looked.set(entry.id, marks)
        found.push(yield* observedOf(entry, seen))
      }
      for (const damaged of (yield* reachable.damaged).values()) {
        found.push({ workspace: damagedInfo(damaged), commandCount: 0, failedCount: 0 })
      }
      const here = found.filter(({ workspace }) =>
        hasLabels(workspace, labels)
      ).sort(byAge)
      const ids = new Set(here.map(({ workspace }) => workspace.id))
      const gone = [...shown.keys()].filter((id) => !ids.has(id))
      for (const id of gone) shown.delete(id)
      for (const id of seen.keys()) if (!looked.has(id)) seen.delete(id)
      const workspaces = here.filter((one) => {
        const text = JSON.stringify(one)
        const isKnown = shown.get(one.workspace.id) === text
        shown.set(one.workspace.id, text)
        return !isKnown
      })
      return { _tag: "Changed", at: yield* nowIso, workspaces, gone } satisfies WorkspacesChanged
    })

    const next: Effect.Effect<WorkspacesChanged> = Effect.gen(function*() {
      if (!isFirst) yield* Effect.suspend(() => untilChanged(log, known, hasChanged, intervalMs))
      const event = yield* look
      if (!isFirst && event.workspaces.length === 0 && event.gone.length === 0) return yield* next
      isFirst = false
      return event
    })
    return Stream.fromEffectRepeat(next)
  })
