import { Effect } from "effect"
import { NoMicroVms, type PyroError } from "../contract/errors/errors.ts"
import { greetingLine } from "../contract/wire/greeting.ts"
import { ensureDaemon, type StartDaemon } from "../sdk/model/start-daemon.ts"
import { daemonFiles, Paths } from "../system/files/Paths.ts"
import { become } from "../system/processes/become.ts"
import { nativeTool } from "../system/processes/native.ts"
import { computerName, runsMicroVms } from "../system/settings/this-computer.ts"

const write = (text: string) =>
  Effect.callback<void>((resume) => void process.stdout.write(text, () => resume(Effect.void)))

/**
 * Joins stdin and stdout with the daemon's socket for programs of other builds. The daemon starts if none runs. The first line says that the way is
 * open, or the error; the exit status then is 1. Otherwise the process becomes pyro-relay, which ends when either side ends.
 */
export const serveStdio = (start: StartDaemon): Effect.Effect<number> =>
  Effect.gen(function*() {
    if (!runsMicroVms()) return yield* new NoMicroVms({ computer: computerName() })
    const relay = yield* nativeTool("pyro-relay")
    yield* ensureDaemon(start)
    const { portable } = yield* daemonFiles
    return yield* become(relay, [portable, greetingLine({}).trimEnd()])
  }).pipe(
    Effect.provide(Paths.layer),
    Effect.catch((error: PyroError) => Effect.as(write(greetingLine({ error })), 1))
  )
