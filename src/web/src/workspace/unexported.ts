import type { WorkspaceInfo } from "../../../contract/rows/workspace-info.ts"
import { ask } from "../wire/calls.ts"

const MOST_EVENTS = 1_000

const isExportOf = (digest: string) =>
({ details, kind }: {
  readonly kind: string
  readonly details: Readonly<Record<string, unknown>>
}) => kind === "export" && details["digest"] === digest

/** Fields of a diff that the page does not set. */
export const wholeDiff = {
  paths: [],
  stat: false,
  nameOnly: false,
  includeIgnored: false,
  verified: false,
  maxBytes: 4_194_304
} as const

/**
 * What a deletion or a reset would lose, as a sentence: changed files whose diff was never exported as it is now. Undefined: nothing. A state that
 * cannot be read counts as a loss.
 */
export const unexported = async ({ id, state }: Pick<WorkspaceInfo, "id" | "state">): Promise<string | undefined> => {
  // A look must not resume it.
  if (state === "paused") return "The workspace is paused, so its changes are unknown."
  try {
    const { digest, summary } = await ask("workspace.diff", { ...wholeDiff, workspace: id, stat: true })
    if (summary.files === 0) return undefined
    const lost = `${summary.files} changed ${summary.files === 1 ? "file is" : "files are"} not exported.`
    if (digest === undefined) return lost
    const { events } = await ask("workspace.events", { workspace: id, limit: MOST_EVENTS, follow: false })
    return events.some(isExportOf(digest)) ? undefined : lost
  } catch {
    return "Its changes cannot be read."
  }
}
