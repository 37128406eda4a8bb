import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { nameText } from "./blanks.ts"

const tones: ReadonlyMap<WorkspaceInfo["state"], string> = new Map([
  ["running", "live"],
  ["failed", "bad"],
  ["stopped", "idle"],
  ["paused", "idle"]
])

/** State of a workspace: a word and a color. Steps under way have the color of work. */
export const State = ({ of: { detail, state } }: { readonly of: Pick<WorkspaceInfo, "state" | "detail"> }) => (
  <span className={`tag state ${tones.get(state) ?? "busy"}`} title={detail && nameText(detail)}>{state}</span>
)
