import { Effect, Layer } from "effect"
import { DaemonUnavailable, type PyroError } from "../contract/errors/errors.ts"
import type { Pyro } from "../contract/rows/Pyro.ts"
import { readTail } from "../system/files/line-log.ts"
import { packageRoot } from "../system/processes/native.ts"
import { layerDaemon } from "./client.ts"
import { daemonCommand } from "./daemon-command.ts"

/** The command of the package that this module belongs to. */
const program = () => `${packageRoot()}/dist/pyro.js`

/** More than the size of the command. */
const ENTRY_BYTES = 65_536

/** Build id of a built command (scripts/build/entry.cjs). The client does not talk to a daemon of another build. */
export const buildOf = (entry: string): string => {
  const version = /VERSION = "([^"]+)"/.exec(entry)?.[1]
  const bundle = /BUNDLE = "main-([0-9a-f]{8})/.exec(entry)?.[1]
  if (version === undefined || bundle === undefined) throw new Error("it is not pyro's built command")
  return `${version} (${bundle})`
}

/**
 * Pyro behind the daemon of this installation, which the Layer starts if none runs. The command line and other programs share the
 * daemon, so workspaces outlive the program. The Layer's end only closes the connection.
 */
export const layer: Layer.Layer<Pyro, PyroError> = Layer.unwrap(
  Effect.try({
    try: () =>
      layerDaemon({
        version: buildOf(readTail(program(), ENTRY_BYTES)),
        command: daemonCommand(program())
      }),
    catch: (cause) => new DaemonUnavailable({ detail: `${program()}: ${(cause as Error).message}` })
  })
)
