import { Effect } from "effect"
import type { DiffPayload } from "../../contract/rows/workspace-diff.ts"
import { readPushed } from "../../seeding/pushed.ts"
import { diffWorkspace } from "../content/diff/diff.ts"
import { exportFrom } from "../content/export/export.ts"
import { importFiles } from "../content/import/import.ts"
import { applyPatchIn } from "../content/patch/apply.ts"
import { pushInto } from "../content/push.ts"
import { inRunning } from "./places.ts"
import type { AtReader, Works } from "./work.ts"

/** What differs from the baseline of a workspace. */
export const workspaceDiff = ({ channel, entry }: AtReader, asked: Omit<DiffPayload, "workspace">) =>
  Effect.flatMap(readPushed(entry.folder.directory), (pushed) => diffWorkspace(channel, asked, { pushed }))

/** The work of the operations on the content of a workspace: changes, and crossings to and from the host. */
export const contentWorks = {
  "workspace.diff": workspaceDiff,
  "workspace.patch.apply": ({ generation }, payload) => applyPatchIn(generation.channel, payload),
  "workspace.sync.push": ({ entry, lifecycle }, payload) =>
    // Another push goes first, and the VM may be another one afterwards.
    inRunning(lifecycle, entry, "workspace.sync.push", { writes: true }, (used) => pushInto(used, payload)).pipe(
      entry.pushLock.withPermits(1)
    ),
  "workspace.import": ({ generation }, payload) => importFiles(generation.channel, payload),
  "workspace.export": { events: ({ entry, lifecycle }, payload) => exportFrom(lifecycle, entry, payload) }
} satisfies Partial<Works>
