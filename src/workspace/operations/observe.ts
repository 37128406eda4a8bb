import { Effect, Option, Stream } from "effect"
import type {
  ObservedWorkspace,
  WorkspacesChanged,
  WorkspaceWatchPayload
} from "../../contract/rows/workspace-watch.ts"
import { clockReader, nowIso } from "../../system/waits/time.ts"
import { damagedInfo } from "../entry/damaged.ts"
import type { Entry } from "../entry/entry.ts"
import type { EventLog } from "../entry/events.ts"
import type { Registry } from "../entry/registry.ts"
import { entryOf } from "../residents/exec/logs.ts"
import { openResidentsOf } from "../residents/open/entry-residents.ts"
import { infoOf } from "./info.ts"
import { isSame, type Marks, marksOf, untilChanged } from "./marks.ts"
import { hasLabels, type SeenUsage, usageOf } from "./watch.ts"

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

/** A workspace at a look. */
interface Looked {
  readonly marks: Marks
  readonly observed: ObservedWorkspace
}

const byAge = (one: ObservedWorkspace, other: ObservedWorkspace) =>
  one.workspace.createdAt.localeCompare(other.workspace.createdAt)

/** All workspaces at once, then those that change, and after each interval those whose use of the host differs. */
export const observeWorkspaces = (
  log: EventLog["Service"],
  { reachable }: Pick<Registry, "reachable">,
  { intervalMs, labels }: WorkspaceWatchPayload
): Stream.Stream<WorkspacesChanged> =>
  Stream.unwrap(Effect.map(clockReader, ({ monotonicMs }) => {
    /** Workspaces as the watcher has them, as JSON. */
    const shown = new Map<string, string>()
    const seen: SeenUsage = new Map()
    /** The last look at each workspace, also at those without the labels. */
    let looked = new Map<string, Looked>()
    let known = log.recorded()
    let fullAtMs = -Infinity

    const marksNow = Effect.flatMap(
      reachable.entries,
      Effect.forEach((entry) => Effect.map(marksOf(entry), (marks) => ({ entry, marks })))
    )
    const hasChanged = Effect.map(marksNow, (all) =>
      all.length !== looked.size || all.some(({ entry, marks }) => !isSame(looked.get(entry.id)?.marks, marks)))

    /** Looks at all workspaces after an event or the interval, else at those whose marks differ. */
    const observed = Effect.gen(function*() {
      const isFull = log.recorded() !== known || monotonicMs() - fullAtMs >= intervalMs
      known = log.recorded()
      if (isFull) {
        fullAtMs = monotonicMs()
      }
      const before = looked
      looked = new Map()
      for (const { entry, marks } of yield* marksNow) {
        const last = before.get(entry.id)
        const isKnown = !isFull && last !== undefined && isSame(last.marks, marks)
        looked.set(entry.id, isKnown ? last : { marks, observed: yield* observedOf(entry, seen) })
      }
      for (const id of seen.keys()) {
        if (!looked.has(id)) {
          seen.delete(id)
        }
      }
      return [...looked.values()].map(({ observed }) =>
        observed
      )
    })

    const look = Effect.gen(function*() {
      const all = [...yield* observed]
      for (const damaged of (yield* reachable.damaged).values()) {
        all.push({ workspace: damagedInfo(damaged), commandCount: 0, failedCount: 0 })
      }
      const here = all.filter(({ workspace }) => hasLabels(workspace, labels)).sort(byAge)
      const ids = new Set(here.map(({ workspace }) => workspace.id))
      const gone = [...shown.keys()].filter((id) => !ids.has(id))
      for (const id of gone) shown.delete(id)
      const workspaces = here.filter((one) => {
        const text = JSON.stringify(one)
        const isKnown = shown.get(one.workspace.id) === text
        shown.set(one.workspace.id, text)
        return !isKnown
      })
      return { _tag: "Changed", at: yield* nowIso, workspaces, gone } satisfies WorkspacesChanged
    })

    const next: Effect.Effect<WorkspacesChanged> = Effect.gen(function*() {
      yield* Effect.suspend(() =>
        untilChanged(log, known, hasChanged, Math.max(1, fullAtMs + intervalMs - monotonicMs()))
      )
      const event = yield* look
      return event.workspaces.length === 0 && event.gone.length === 0 ? yield* next : event
    })
    return Stream.concat(Stream.fromEffect(look), Stream.fromEffectRepeat(next))
  }))
