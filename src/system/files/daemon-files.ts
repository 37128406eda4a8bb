import { Effect } from "effect"
import * as path from "node:path"
import { ensureFolder } from "./folders.ts"
import { toHostErrorOf } from "./host-error.ts"
import { Paths } from "./Paths.ts"

/** Files of the daemon. They belong to the state directory, not to a login session. The folder exists. */
export const daemonFiles = Effect.flatMap(Paths, ({ stateDir }) => {
  const folder = path.join(stateDir, "daemon")
  return ensureFolder(folder).pipe(
    Effect.mapError(toHostErrorOf(stateDir)),
    Effect.as({
      record: path.join(folder, "daemon.json"),
      lock: path.join(folder, "lock"),
      socket: path.join(folder, "socket"),
      log: path.join(folder, "log")
    })
  )
})
