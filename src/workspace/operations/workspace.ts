import { Effect, Stream } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { DiffPayload } from "../../contract/rows/workspace-diff.ts"
import { readPushed } from "../../lib/seeding/model/pushed.ts"
import { demandOneSeed } from "../../lib/seeding/model/request.ts"
import { compare } from "../content/compare/compare.ts"
import { diffWorkspace } from "../content/diff/diff.ts"
import { damagedInfo } from "../entry/damaged.ts"
import type { Entry } from "../entry/entry.ts"
import { EventLog } from "../entry/events.ts"
import { isDamaged } from "../entry/registry.ts"
import { wholeSnapshotName } from "../life/records/snapshot.ts"
import { createFrom } from "../life/verbs/create-from-saved.ts"
import { create } from "../life/verbs/create.ts"
import { fork } from "../life/verbs/fork.ts"
import { pause, resume, wakeFor } from "../life/verbs/pause.ts"
import { removeAll } from "../life/verbs/remove.ts"
import { reset, resetTo } from "../life/verbs/reset.ts"
import { start, stop } from "../life/verbs/start-stop.ts"
import { update } from "../life/verbs/update.ts"
import { grantOfCaller } from "../residents/network/set.ts"
import { showEvents } from "./events.ts"
import { infoOf, statusOf } from "./info.ts"
import { observeWorkspaces } from "./observe.ts"
import { resetBefore } from "./rewind.ts"
import { summarize } from "./summary.ts"
import { showTimeline } from "./timeline.ts"
import { keepCandidate } from "./try/states.ts"
import { tryCandidates } from "./try/try.ts"
import { watchWorkspaces } from "./watch.ts"
import { type AtReader, inReader, type Works } from "./work.ts"

/** Differences between a workspace and its baseline. */
export const workspaceDiff = ({ channel, entry }: AtReader, asked: Omit<DiffPayload, "workspace">) =>
  Effect.flatMap(readPushed(entry.folder.directory), (pushed) => diffWorkspace(channel, asked, { pushed }))

const ready = (entry: Entry) => Effect.map(infoOf(entry), (workspace) => ({ _tag: "Ready" as const, workspace }))

/** The event after work whose result is whether the state of the workspace changed. */
const switched = <E, R>(entry: Entry, work: Effect.Effect<boolean, E, R>) =>
  Effect.flatMap(work, (changed) => Effect.map(ready(entry), (event) => ({ ...event, changed })))

/** The work of the operations on whole workspaces. */
export const workspaceWorks = {
  "workspace.create": {
    notices: ({ lifecycle, notify }, payload) =>
      Effect.gen(function*() {
        yield* demandOneSeed(payload)
        const network = yield* grantOfCaller(payload)
        const { diskOnly = false, fromSnapshot } = payload
        if (fromSnapshot !== undefined) {
          return yield* ready(yield* createFrom(lifecycle, fromSnapshot, payload, network, notify))
        }
        if (diskOnly) return yield* new InvalidRequest({ field: "disk_only", detail: "goes with from_snapshot only" })
        return yield* ready(yield* create(lifecycle, payload, network, notify))
      })
  },
  "workspace.list": ({ registry }, { labels }) =>
    Effect.map(
      Effect.zip(Effect.flatMap(registry.reachable.entries, Effect.forEach(infoOf)), registry.reachable.damaged),
      ([all, damaged]) => ({
        workspaces: [...all, ...[...damaged.values()].map(damagedInfo)]
          .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
          .sort((a, b) => b.lastActivityAt.localeCompare(a.lastActivityAt))
      })
    ),
  "workspace.status": ({ registry }, { workspace }) =>
    Effect.flatMap(
      registry.lookUp(workspace),
      (found) => isDamaged(found) ? Effect.succeed(damagedInfo(found)) : statusOf(found)
    ),
  "workspace.update": ({ entry, lifecycle }, payload) =>
    Effect.andThen(update(lifecycle, entry, payload), infoOf(entry)),
  "workspace.rename": ({ entry, lifecycle }, payload) =>
    Effect.andThen(update(lifecycle, entry, payloadOf("workspace.update", payload)), infoOf(entry)),
  "workspace.stop": { notices: ({ entry, lifecycle }) => switched(entry, stop(lifecycle, entry)) },
  "workspace.start": {
    notices: ({ entry, lifecycle, notify }, { discardMemory = false }) =>
      switched(
        entry,
        Effect.flatMap(
          discardMemory ? Effect.succeed(false) : resume(lifecycle, entry),
          (resumed) => resumed ? Effect.succeed(true) : start(lifecycle, entry, notify)
        )
      )
  },
  "workspace.pause": { notices: ({ entry, lifecycle }) => switched(entry, pause(lifecycle, entry)) },
  "workspace.resume": { notices: ({ entry, lifecycle }) => switched(entry, resume(lifecycle, entry)) },
  "workspace.reset": {
    notices: ({ entry, lifecycle, notify }, { before, diskOnly = false, snapshot }) => {
      if (before !== undefined) {
        return snapshot !== undefined || diskOnly
          ? new InvalidRequest({ field: "before", detail: "goes with no other way back" })
          : Effect.andThen(resetBefore(lifecycle, entry, before, notify), ready(entry))
      }
      if (snapshot !== undefined) {
        return wholeSnapshotName(entry, snapshot).pipe(
          Effect.flatMap((whole) => resetTo(lifecycle, entry, { snapshot: whole, diskOnly }, notify)),
          Effect.andThen(ready(entry))
        )
      }
      return diskOnly
        ? new InvalidRequest({
          field: "disk_only",
          detail: "goes with a snapshot only: every other reset is of the disk"
        })
        : Effect.andThen(reset(lifecycle, entry, notify), ready(entry))
    }
  },
  "workspace.fork": {
    notices: ({ lifecycle, notify, registry }, payload) =>
      Effect.gen(function*() {
        const entry = yield* registry.find(payload.workspace)
        const { at, snapshot } = payload
        if (at !== undefined && snapshot !== undefined) {
          return yield* new InvalidRequest({ field: "at", detail: "does not go together with `snapshot`" })
        }
        if (snapshot === undefined && at === undefined) yield* wakeFor(lifecycle, entry, "workspace.fork")
        const from = snapshot === undefined ? {} : { snapshot: yield* wholeSnapshotName(entry, snapshot) }
        const entries = yield* fork(lifecycle, entry, { ...payload, ...from }, notify)
        return { _tag: "Forked" as const, workspaces: yield* Effect.forEach(entries, infoOf) }
      }).pipe(Effect.scoped)
  },
  "workspace.try": { events: ({ lifecycle }, payload) => tryCandidates(lifecycle, payload) },
  "workspace.keep": {
    notices: ({ entry, lifecycle, notify }, { candidate }) =>
      Effect.gen(function*() {
        const undo = yield* keepCandidate(lifecycle, entry, candidate, notify)
        return {
          _tag: "Kept" as const,
          kept: candidate,
          ...(undo === undefined ? {} : { undo }),
          workspace: yield* infoOf(entry)
        }
      })
  },
  "workspace.delete": ({ lifecycle }, payload) =>
    Effect.map(removeAll(lifecycle, payload), (gone) => ({
      deleted: gone.map(({ id }) => id),
      names: gone.map(({ id, name }) => name ?? id)
    })),
  "workspace.compare": ({ lifecycle }, payload) => compare(lifecycle, payload),
  "workspace.summary": ({ entry, lifecycle }) =>
    summarize(
      entry,
      inReader(lifecycle, entry, "workspace.summary", (at) =>
        workspaceDiff(at, payloadOf("workspace.diff", { workspace: entry.id, stat: true, maxBytes: 0 })))
    ),
  "workspace.events": ({ entry }, payload) => Effect.flatMap(EventLog, (log) => showEvents(log, entry, payload)),
  "workspace.timeline": {
    events: ({ entry }, payload) => Stream.unwrap(Effect.map(EventLog, (log) => showTimeline(log, entry, payload)))
  },
  "workspace.watch": {
    events: ({ registry }, payload) =>
      Stream.unwrap(Effect.map(EventLog, (log) => observeWorkspaces(log, registry, payload)))
  },
  watch: {
    events: ({ registry }, payload) =>
      Stream.unwrap(Effect.map(EventLog, (log) => watchWorkspaces(log, registry.reachable.entries, payload)))
  }
} satisfies Partial<Works>
