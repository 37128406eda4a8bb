import { Schema } from "effect"

/** An integer of a range, refused with the range and its unit. */
export const between = (options: {
  readonly from: number
  readonly to: number
  readonly unit: string
  readonly description: string
}) =>
  Schema.Int.pipe(
    Schema.between(options.from, options.to),
    Schema.annotations({
      description: `${options.description} (${options.from} to ${options.to})`,
      message: () => ({
        message: `must be ${options.from} to ${options.to}${options.unit === "" ? "" : ` ${options.unit}`}`,
        // Also in the place of what is said about fractions and text.
        override: true
      })
    })
  )

/** Text that can cross into a C string. */
export const text = (description: string) =>
  Schema.String.pipe(
    Schema.filter((value) => !value.includes("\0"), { message: () => "must not contain a NUL byte" }),
    Schema.annotations({ description })
  )

/** A field that may be left out and then is absent, not `undefined`. */
export const optional = <S extends Schema.Schema.All>(schema: S) => Schema.optionalWith(schema, { exact: true })

/** A field that may be left out and then has the value of `fallback`. */
export const defaulted = <A, I>(schema: Schema.Schema<A, I>, fallback: () => NoInfer<A>) =>
  Schema.optionalWith(schema, { exact: true, default: fallback })
