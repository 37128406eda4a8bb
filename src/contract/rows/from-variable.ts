import type { CliSurface, VariableOfCaller } from "./operation.ts"

/** A request with the field that a variable of the caller fills. `variable`: its value, if it has one. */
export const filledFromVariable = (
  { fromVariable }: Pick<CliSurface, "fromVariable">,
  raw: Readonly<Record<string, unknown>>,
  variable: (name: VariableOfCaller) => string | undefined
): Readonly<Record<string, unknown>> => {
  if (fromVariable === undefined || raw[fromVariable.of] === undefined || raw[fromVariable.field] !== undefined) {
    return raw
  }
  const value = variable(fromVariable.variable)
  return value === undefined || value === "" ? raw : { ...raw, [fromVariable.field]: value }
}
