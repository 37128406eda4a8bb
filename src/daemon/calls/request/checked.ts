import { Effect, Schema } from "effect"
import { halfCharacterIn } from "../../../contract/errors/half-character.ts"
import { invalidRequest } from "../../../contract/errors/issue.ts"
import { lazy } from "../../../contract/rows/operation.ts"
import { snakeCase } from "../../../contract/text/snake.ts"
import { every, type Wrap } from "../wrap.ts"
import type { RequestCall } from "./request.ts"

/**
 * Checks the payload by the Schema of the row. The wire has checked only the types of its fields.
 *
 * Needs nothing. Stands outside of every line that reads the payload.
 */
export const checked: Wrap<RequestCall> = {
  name: "checked",
  does: "checks the payload by its Schema, and refuses half a character",
  because: "outside of every line that reads the payload",
  concerns: every,
  around: ({ payload: schema }, call) => {
    const decode = lazy(() => Schema.decodeUnknownEffect(Schema.toType(schema())))
    return (given, request) =>
      Effect.flatMap(
        Effect.mapError(decode()(given), (error) => invalidRequest(error, snakeCase)),
        (payload) => halfCharacterIn(payload, snakeCase) ?? call(payload, request)
      )
  }
}
