import { useEffect, useState } from "react"
import type { TimelineEntry } from "../../../../src/contract/rows/workspace-timeline.ts"
import { follow } from "../wire/calls.ts"

/** Most entries of a page: it may be open for days. */
const MOST_ENTRIES = 1_000

/** The newest entries by time, after more of them. A later entry takes the place of the one with the same key. */
const merged = (
  known: ReadonlyArray<TimelineEntry>,
  more: ReadonlyArray<TimelineEntry>
): ReadonlyArray<TimelineEntry> => {
  const all = new Map(known.map((entry) => [entry.key, entry]))
  for (const entry of more) all.set(entry.key, entry)
  return [...all.values()].sort((one, other) => one.at < other.at ? -1 : one.at > other.at ? 1 : 0).slice(-MOST_ENTRIES)
}

interface State {
  readonly entries: ReadonlyArray<TimelineEntry>
  readonly isLoaded: boolean
  readonly failure?: Error
}

const nothing: State = { entries: [], isLoaded: false }

/** What happened in a workspace, oldest first, live. */
export const useTimeline = (workspace: string): State => {
  const [state, setState] = useState(nothing)
  useEffect(() => {
    setState(nothing)
    let isFirst = true
    return follow("workspace.timeline", { workspace, limit: 500, follow: true }, {
      begin: () => {
        isFirst = true
      },
      events: (events) => {
        const more = events.flatMap(({ entries }) => entries)
        const anew = isFirst
        isFirst = false
        setState(({ entries }) => ({ entries: merged(anew ? [] : entries, more), isLoaded: true }))
      },
      failed: (failure) => setState((before) => ({ ...before, isLoaded: true, failure }))
    })
  }, [workspace])
  return state
}
