import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { ask } from "../wire/calls.ts"

const MOST_EVENTS = 1_000

const isExportOf = (digest: string) =>
({ details, kind }: {
  readonly kind: string
  readonly details: Readonly<Record<string, unknown>>
}) => kind === "export" && details["digest"] === digest

/** Maximum bytes of a patch that the page shows. */
export const WHOLE_DIFF_BYTES = 4_194_304

/** Whether a deletion or a reset would lose something, and why, as a sentence. */
interface Unexported {
  readonly isLost: boolean
  readonly says: string
}

const lost = (says: string): Unexported => ({ isLost: true, says })
const kept = (says: string): Unexported => ({ isLost: false, says })

/**
 * Changes that a deletion or a reset would lose: changed files whose diff was never exported as it is now. A state that cannot be read counts as a loss.
 */
export const unexported = async ({ id, state }: Pick<WorkspaceInfo, "id" | "state">): Promise<Unexported> => {
  // A look must not resume it.
  if (state === "paused") return lost("The workspace is paused, so its changes are unknown.")
  try {
    const { digest, summary } = await ask("workspace.diff", { workspace: id, stat: true, maxBytes: WHOLE_DIFF_BYTES })
    if (summary.files === 0) return kept("The workspace has no changes.")
    const notExported = lost(`${summary.files} changed ${summary.files === 1 ? "file is" : "files are"} not exported.`)
    if (digest === undefined) return notExported
    const { events } = await ask("workspace.events", { workspace: id, limit: MOST_EVENTS })
    return events.some(isExportOf(digest)) ? kept("All changes are exported.") : notExported
  } catch {
    return lost("The changes of the workspace cannot be read.")
  }
}
