import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { StateDirectoryUnusable } from "../contract/errors.ts"
import { Paths } from "./Paths.ts"

/** Where a daemon has its things: they belong to the state directory, not to a login session. The folder exists. */
export const daemonFiles = Effect.flatMap(Paths, ({ stateDir }) =>
  Effect.try({
    try: () => {
      const folder = path.join(stateDir, "daemon")
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
      return {
        record: path.join(folder, "daemon.json"),
        lock: path.join(folder, "lock"),
        socket: path.join(folder, "socket"),
        log: path.join(folder, "log")
      }
    },
    catch: (cause) => new StateDirectoryUnusable({ path: stateDir, detail: (cause as Error).message })
  }))
