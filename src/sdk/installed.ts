import { Effect, Layer } from "effect"
import { DaemonUnavailable, type PyroError } from "../contract/errors/errors.ts"
import type { Pyro } from "../contract/rows/Pyro.ts"
import { readTail } from "../system/files/line-log.ts"
import { Paths } from "../system/files/Paths.ts"
import { packageRoot } from "../system/processes/native.ts"
import { demandPermissions } from "../system/processes/runtime.ts"
import { layerDaemon } from "./client.ts"
import { layerWithDriver, readConnectOptions } from "./connect-options.ts"
import { daemonCommand } from "./daemon-command.ts"
import { endingSigns } from "./handle/signs.ts"
import { StateDirectory } from "./model/state-directory.ts"
import type { ConnectOptions } from "./promises/client.ts"

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
 * Pyro through the daemon of this installation, or of another state directory. The Layer starts the daemon if none runs. The command line and
 * other programs share the daemon, so workspaces outlive the program. The Layer's end only closes the connection.
 */
export const layerOf = (options: ConnectOptions): Layer.Layer<Pyro, PyroError> =>
  Layer.unwrap(Effect.gen(function*() {
    const { driver, startDaemon = true, startTimeoutMs, stateDir } = yield* readConnectOptions(options)
    yield* demandPermissions
    const start = yield* Effect.try({
      try: () => ({
        version: buildOf(readTail(program(), ENTRY_BYTES)),
        command: daemonCommand(program()),
        onlyRunning: !startDaemon,
        timeoutMs: startTimeoutMs
      }),
      catch: (cause) => new DaemonUnavailable({ detail: `${program()}: ${(cause as Error).message}` })
    })
    const layer = layerWithDriver(
      layerDaemon(start, undefined, stateDir === undefined ? undefined : Paths.layerIn(stateDir)),
      driver
    )
    const ending = endingSigns(layer)
    return stateDir === undefined ? ending : Layer.merge(ending, Layer.succeed(StateDirectory, stateDir))
  }))

/** `layerOf` with the directory and the settings of the environment. */
export const layer: Layer.Layer<Pyro, PyroError> = layerOf({})
