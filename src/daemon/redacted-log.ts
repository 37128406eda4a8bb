import { Cause, Effect, type Fiber, Logger, References } from "effect"
import { redactValue } from "../lib/redaction/redact.ts"
import { SecretRegistry } from "../lib/redaction/secrets.ts"

/** A fiber with other annotations, for loggers. */
const withAnnotations = (
  fiber: Fiber.Fiber<unknown, unknown>,
  annotations: Readonly<Record<string, unknown>>
): Fiber.Fiber<unknown, unknown> =>
  Object.create(fiber, {
    getRef: {
      value: (reference: Parameters<typeof fiber.getRef>[0]) =>
        reference === References.CurrentLogAnnotations ? annotations : fiber.getRef(reference)
    }
  }) as Fiber.Fiber<unknown, unknown>

/** A logger whose lines have no secret of a workspace. */
export const redactedLogger = <Output>(
  known: SecretRegistry["Service"],
  logger: Logger.Logger<unknown, Output>
): Logger.Logger<unknown, Output> =>
  Logger.make((options) => {
    const sets = known.sets()
    if (sets.length === 0) return logger.log(options)
    const { fiber } = options
    const cause = Cause.pretty(options.cause)
    const redacted = redactValue(sets, cause)
    return logger.log({
      ...options,
      message: redactValue(sets, options.message),
      fiber: withAnnotations(fiber, redactValue(sets, fiber.getRef(References.CurrentLogAnnotations))),
      cause: redacted === cause ? options.cause : Cause.die(redacted)
    })
  })

/** Redacts the lines of every logger of the work. */
export const withRedactedLog = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | SecretRegistry> =>
  Effect.flatMap(
    SecretRegistry,
    (known) =>
      Effect.updateService(
        work,
        Logger.CurrentLoggers,
        (loggers) => new Set([...loggers].map((logger) => redactedLogger(known, logger)))
      )
  )
