import { Cause, HashMap, Logger } from "effect"
import { allSecretSets } from "../workspace/secret/known.ts"
import { redactValue } from "../workspace/secret/redact-value.ts"

/** A logger whose lines have no secret of a workspace. */
export const redactedLogger = <Output>(logger: Logger.Logger<unknown, Output>): Logger.Logger<unknown, Output> =>
  Logger.mapInputOptions(logger, (options: Logger.Logger.Options<unknown>) => {
    const sets = allSecretSets()
    if (sets.length === 0) return options
    const cause = Cause.pretty(options.cause)
    const redacted = redactValue(sets, cause)
    return {
      ...options,
      message: redactValue(sets, options.message),
      annotations: HashMap.map(options.annotations, (value) => redactValue(sets, value)),
      cause: redacted === cause ? options.cause : Cause.die(redacted)
    }
  })
