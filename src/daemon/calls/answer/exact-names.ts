import type { PyroError } from "../../../contract/errors/errors.ts"
import { ends } from "../../../contract/rows/operations.ts"
import type { Wrap } from "../wrap.ts"
import { type AnyCall, failing } from "./call.ts"

/** The same error without names of other objects. */
const withoutSimilar = (error: PyroError): PyroError => {
  if (!("similar" in error)) return error
  const OwnClass = error.constructor as new(fields: object) => PyroError
  return new OwnClass({ ...error, similar: [] })
}

/**
 * An operation that ends or removes an object suggests no similar names for an unknown name. A person in a hurry, or a model, would take the
 * most similar name and lose another workspace.
 *
 * Needs nothing. Pyro's own calls need no suggestion and do not pass here.
 */
export const exactNames: Wrap<AnyCall> = {
  name: "exact names",
  does: "removes similar names from an error",
  because: "outside of all that fails with such a name",
  concerns: ends,
  around: (row, call) => failing(row, call, withoutSimilar)
}
