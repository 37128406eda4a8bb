import { Effect } from "effect"
import * as fs from "node:fs"
import { nowMs } from "../../system/waits/time.ts"
import type { WorkspaceFolder, WorkspaceRecord } from "./record.ts"

type Folder = Pick<WorkspaceFolder, "activity">

/** Time of the last command or write. The time of creation if the host cannot tell. */
export const lastActivity = (folder: Folder, record: Pick<WorkspaceRecord, "createdAt">): Date => {
  try {
    return fs.statSync(folder.activity).mtime
  } catch {
    return new Date(record.createdAt)
  }
}

/** Notes a command or a write at this time, in ms since 1970. Never fails: no command fails because of the time of last activity. */
export const touchAt = (folder: Folder, ms: number) => {
  try {
    fs.utimesSync(folder.activity, ms / 1000, ms / 1000)
  } catch { /* a deletion is removing the workspace */ }
}

/** Notes a command or a write now. */
export const touch = (folder: Folder) => Effect.map(nowMs, (ms) => touchAt(folder, ms))
