import { useEffect, useState } from "react"
import type { LogEntry } from "../../../contract/rows/workspace-logs.ts"
import { ask } from "../wire/calls.ts"

/** Something that happened to a workspace. A later entry with the same key takes the place of the earlier one. */
export interface Entry {
  readonly key: string
  readonly at: string
  /** `command`, `network`, or a kind of the event log. */
  readonly kind: string
  readonly text: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Most entries of a page: it may be open for days. */
const MOST_ENTRIES = 1_000

/** The newest entries by time, after more of them. */
export const merged = (known: ReadonlyArray<Entry>, more: ReadonlyArray<Entry>): ReadonlyArray<Entry> => {
  const all = new Map(known.map((entry) => [entry.key, entry]))
  for (const entry of more) all.set(entry.key, entry)
  const sorted = [...all.values()].sort((one, other) => one.at < other.at ? -1 : one.at > other.at ? 1 : 0)
  return sorted.slice(-MOST_ENTRIES)
}

const ofCommand = (entry: LogEntry): Entry => ({
  key: `command:${entry.execId}`,
  at: entry.startedAt,
  kind: "command",
  text: entry.command.join(" "),
  details: {
    exec_id: entry.execId,
    command: entry.command,
    outcome: entry.outcome,
    status: entry.status,
    duration_ms: entry.durationMs,
    output_bytes: entry.outputBytes
  }
})

/** What happened to a workspace, oldest first, live. */
export const useTimeline = (workspace: string, changes: unknown) => {
  const [state, setState] = useState<{ entries: ReadonlyArray<Entry>; isLoaded: boolean; failure?: Error }>({
    entries: [],
    isLoaded: false
  })
  useEffect(() => {
    let isCurrent = true
    const add = (more: ReadonlyArray<Entry>) => {
      if (isCurrent) setState((before) => ({ entries: merged(before.entries, more), isLoaded: true }))
    }
    const going = async () => {
      let cursor: number | undefined
      let count = 0
      while (isCurrent) {
        const { events, nextCursor } = await ask("workspace.events", {
          workspace,
          limit: 200,
          follow: cursor !== undefined,
          ...(cursor === undefined ? {} : { cursor })
        })
        add(events.map((event) => ({ ...event, key: `event:${count++}` })))
        cursor = nextCursor
      }
    }
    going().catch((failure: Error) => {
      if (isCurrent) setState((before) => ({ ...before, isLoaded: true, failure }))
    })
    return () => {
      isCurrent = false
    }
  }, [workspace])
  useEffect(() => {
    let isCurrent = true
    ask("workspace.logs", { workspace, cursor: 0, encoding: "text", limit: 200 }).then(({ commands }) => {
      if (isCurrent) {
        setState((before) => ({ ...before, entries: merged(before.entries, commands.map(ofCommand)) }))
      }
    }, () => {})
    return () => {
      isCurrent = false
    }
  }, [workspace, changes])
  return state
}
