import { Effect, Layer } from "effect"
import { DaemonUnavailable, type PyroError } from "../contract/errors/errors.ts"
import type { Pyro } from "../contract/rows/Pyro.ts"
import { chosenContext } from "../remote/contexts.ts"
import { readTail } from "../system/files/line-log.ts"
import { Paths } from "../system/files/Paths.ts"
import { packageRoot } from "../system/processes/native.ts"
import { demandPermissions } from "../system/processes/runtime.ts"
import { runsMicroVms } from "../system/settings/this-computer.ts"
import { layerDaemon } from "./client.ts"
import { layerWithDriver, readConnectOptions } from "./connect-options.ts"
import { daemonCommand } from "./daemon-command.ts"
import { endingSigns } from "./handle/signs.ts"
import { StateDirectory } from "./model/state-directory.ts"
import type { ConnectOptions } from "./promises/client.ts"
import { layerContext } from "./remote.ts"
import { layerNoMicroVms } from "./unreached.ts"

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

/** The built command, whose daemon this program uses. */
const ownProgram = Effect.try({
  try: () => ({ version: buildOf(readTail(program(), ENTRY_BYTES)), command: daemonCommand(program()) }),
  catch: (cause) => new DaemonUnavailable({ detail: `${program()}: ${(cause as Error).message}` })
})

/** The daemon of a state directory of this machine. */
const here = (
  stateDir: string | undefined,
  { startDaemon = true, startTimeoutMs }: Pick<ConnectOptions, "startDaemon" | "startTimeoutMs">
) =>
  Effect.gen(function*() {
    yield* demandPermissions
    const start = { ...yield* ownProgram, onlyRunning: !startDaemon, timeoutMs: startTimeoutMs }
    return layerDaemon(start, undefined, stateDir === undefined ? undefined : Paths.layerIn(stateDir))
  })

/**
 * Pyro through the daemon of this installation, or of another state directory. The Layer starts the daemon if none runs. The command line and
 * other programs share the daemon, so workspaces outlive the program. The Layer's end only closes the connection.
 */
export const layerOf = (options: ConnectOptions): Layer.Layer<Pyro, PyroError> =>
  Layer.unwrap(Effect.gen(function*() {
    const { context, driver, stateDir, ...start } = yield* readConnectOptions(options)
    const remote = stateDir !== undefined && context === undefined ? undefined : yield* chosenContext(context)
    const reached = remote === undefined
      ? (runsMicroVms() ? yield* here(stateDir, start) : layerNoMicroVms)
      : layerContext(remote, { version: (yield* ownProgram).version, mayAsk: false })
    const layer = layerWithDriver(reached, driver)
    const ending = endingSigns(layer)
    return stateDir === undefined ? ending : Layer.merge(ending, Layer.succeed(StateDirectory, stateDir))
  }))

/** `layerOf` with the directory and the settings of the environment. */
export const layer: Layer.Layer<Pyro, PyroError> = layerOf({})
