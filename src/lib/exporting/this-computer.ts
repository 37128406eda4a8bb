import { Effect } from "effect"
import { ExportRefused } from "../../contract/errors/errors.ts"
import { option } from "../../contract/errors/next-step.ts"
import { count } from "../../contract/text/count.ts"
import { bytesOf } from "../../system/files/folded-name.ts"
import { nameConflicts, nameSystem } from "../../system/files/portable-names.ts"
import { shown } from "./names.ts"

/** Maximum paths that an error names. */
const MAX_NAMED = 20

/** A file, directory or link to write. */
interface Written {
  /** Raw. */
  readonly path: string
  readonly type: string
}

/** What this computer's file system cannot hold, with reasons. */
const unholdable = (entries: ReadonlyArray<Written>) => {
  const system = nameSystem()
  if (system === undefined) return []
  const names = nameConflicts(entries.map(({ path }) => bytesOf(path)), system)
    .map(({ path, reason }) => ({ path: Buffer.from(path).toString("latin1"), reason }))
  // A link needs a right on Windows that few users have, and its type must be known before its target exists.
  const links = system === "windows"
    ? entries.filter(({ type }) => type === "symlink").map(({ path }) => ({
      path,
      reason: "pyro makes no links on Windows"
    }))
    : []
  return [...names, ...links]
}

/** Fails, before anything is written, for paths that the files of this computer cannot have: macOS and Windows have other names than a guest. */
export const demandHoldable = (entries: ReadonlyArray<Written>): Effect.Effect<void, ExportRefused> =>
  Effect.suspend(() => {
    const bad = unholdable(entries)
    return bad.length === 0 ? Effect.void : new ExportRefused({
      detail: `this computer cannot have ${count(bad.length, "path")} of it`,
      paths: bad.slice(0, MAX_NAMED).map(({ path, reason }) => `${shown(path)}: ${reason}`),
      next: [
        option("Leave them out", "exclude"),
        option("Or write one archive, which has every name", "output", "workspace.tar")
      ]
    })
  })
