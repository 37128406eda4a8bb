import { Effect, Layer, References } from "effect"
import { layerOver } from "../../../src/daemon/layer.ts"
import { serve } from "../../../src/daemon/serve.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import { localAgentServices } from "../lifecycle/local-agent-services.ts"

/**
 * The daemon of a built command, over local agents. Its arguments are the build that it answers to, the guest agent, and a directory for the
 * sanitizer's reports. SIGTERM ends it.
 */
const [build = "", program = "", reports = ""] = process.argv.slice(2)

const stopped = Effect.callback<void>((resume) => void process.once("SIGTERM", () => resume(Effect.void)))

// The watchdog of a killed daemon runs its program with this word.
if (build === "gc") process.exit(0)

await Effect.runPromise(
  serve(build).pipe(
    Effect.raceFirst(stopped),
    Effect.provide(Layer.merge(layerOver(localAgentServices({ program, reports })), Paths.layer)),
    Effect.provideService(References.MinimumLogLevel, "None")
  )
)
