import { Cause, Effect, FiberRef, HashMap, HashSet, Logger } from "effect"
import { KnownSecrets } from "../redaction/known.ts"
import { redactValue } from "../redaction/redact.ts"

/** A logger whose lines have no secret of a workspace. */
export const redactedLogger = <Output>(
  known: KnownSecrets["Type"],
  logger: Logger.Logger<unknown, Output>
): Logger.Logger<unknown, Output> =>
  Logger.mapInputOptions(logger, (options: Logger.Logger.Options<unknown>) => {
    const sets = known.sets()
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

/** Redacts the lines of every logger that the work has from outside. Replacing one of them would leave the others as they are. */
export const withRedactedLog = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | KnownSecrets> =>
  Effect.flatMap(
    KnownSecrets,
    (known) => Effect.locallyWith(work, FiberRef.currentLoggers, HashSet.map((logger) => redactedLogger(known, logger)))
  )
