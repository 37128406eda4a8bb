import type { OperationName } from "../../contract/rows/operations.ts"
import { diffViews } from "./diff.ts"
import { execViews } from "./exec.ts"
import { fileViews } from "./files.ts"
import { followViews } from "./follow.ts"
import { hostViews } from "./host.ts"
import { networkViews } from "./network.ts"
import { rewindViews } from "./rewind.ts"
import { savedViews } from "./saved.ts"
import { serviceViews } from "./services.ts"
import { shellViews } from "./shell.ts"
import { sshViews } from "./ssh.ts"
import { topViews } from "./top.ts"
import { tryViews } from "./try.ts"
import { uiViews } from "./ui.ts"
import type { View } from "./view.ts"
import { workspaceViews } from "./workspace.ts"

/** Operations of programs, which have no view. */
type ForPrograms = "workspace.events" | "workspace.transfer.applied" | "workspace.transfer.read" | `spool.${string}`

/** Of each operation that has a command, or whose view another command uses. */
export const views: { readonly [Name in Exclude<OperationName, ForPrograms>]: View<Name> } = {
  ...workspaceViews,
  ...rewindViews,
  ...savedViews,
  ...execViews,
  ...fileViews,
  ...diffViews,
  ...networkViews,
  ...shellViews,
  ...serviceViews,
  ...sshViews,
  ...topViews,
  ...followViews,
  ...tryViews,
  ...uiViews,
  ...hostViews
}
