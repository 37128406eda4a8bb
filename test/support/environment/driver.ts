import { Cause, Effect, Exit, Layer, Option, References, Schema } from "effect"
import { PyroError } from "../../../src/contract/errors/errors.ts"
import { Environments, type Progress } from "../../../src/lib/environment/Environments.ts"
import { Kernel } from "../../../src/lib/environment/Kernel.ts"
import { Paths } from "../../../src/system/files/Paths.ts"

/**
 * A process of its own that does one thing with environments, for tests that kill it, run two of it, or run it as somebody else.
 * Says `step: …` on stderr as it goes and prints one JSON document: `{ ok }` or `{ error: { tag, message, fields } }`.
 */
const [verb = "", name = ""] = process.argv.slice(2)

let step = ""
const onProgress = (progress: Progress) => {
  if (progress.step !== step) process.stderr.write(`step: ${progress.step}\n`)
  step = progress.step
}

const program = Effect.gen(function*() {
  const environments = yield* Environments
  switch (verb) {
    case "ensure":
      return yield* environments.ensure(name, { onProgress })
    case "pull":
      return yield* environments.pull(name, { onProgress })
    case "verify":
      return yield* environments.inspect(name, { verify: true })
    case "resolve":
      return Option.getOrNull(yield* environments.resolve(name))
    case "list":
      return yield* environments.list
    case "remove":
      return yield* environments.remove([name])
    case "kernel":
      return yield* (yield* Kernel).ensureWith(onProgress)
    case "sweep":
      return yield* environments.sweep
    case "prune":
      return yield* environments.prune
    default:
      return yield* Effect.die(new Error(`no verb ${verb}`))
  }
})

const live = Environments.layer.pipe(Layer.provideMerge(Kernel.layer), Layer.provide(Paths.layer))
const exit = await Effect.runPromiseExit(
  program.pipe(Effect.provide(live), Effect.provideService(References.MinimumLogLevel, "None"))
)
const outcome = Exit.match(exit, {
  onSuccess: (ok) => ({ ok }),
  onFailure: (cause) => {
    const error = Option.getOrUndefined(Cause.findErrorOption(cause))
    if (error === undefined) return { error: { tag: "Defect", message: Cause.pretty(cause), fields: {} } }
    return { error: { tag: error._tag, message: error.message, fields: Schema.encodeSync(PyroError)(error) } }
  }
})
process.stdout.write(JSON.stringify(outcome) + "\n")
