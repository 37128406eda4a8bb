import { Cause, Effect, Exit, Option } from "effect"

/** Attributes of a step: ids, names of variants and sizes. No command line, environment, path, output or content of a file. */
export type StepAttributes = Readonly<Record<string, string | number | boolean>>

/** Makes an effect one step of the operation that runs it: a span with its duration and outcome. */
export const asStep = (name: string, attributes?: StepAttributes) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.withSpan(work, name, { captureStackTrace: false, ...(attributes !== undefined && { attributes }) })

/** Adds an attribute to the step that runs. */
export const annotateStep = (name: string, value: string | number | boolean): Effect.Effect<void> =>
  Effect.withFiberSucceed((fiber) => {
    const { span } = fiber.cache
    if (span?._tag === "Span") span.attribute(name, value)
  })

/** Outcome of an operation or a step: `ok`, the code of its error, `interrupted` or `defect`. */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  const failure = Cause.findErrorOption(exit.cause)
  if (Option.isSome(failure)) return (failure.value as { readonly code?: string }).code ?? "defect"
  return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "defect"
}
