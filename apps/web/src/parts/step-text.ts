import type { NextStep } from "../../../../src/contract/errors/next-step.ts"
import { typedStep } from "../../../../src/contract/rows/next-steps.ts"

/** What a view has in place of an option of the failed call, by its JSON name, or of another call, by the operation's name. */
export type PageOptions = ReadonlyMap<string, string>

const NONE: PageOptions = new Map()

/** A step in the page's words: the page has no options, and a command is typed in a terminal. */
export const stepText = (
  step: NextStep,
  options: PageOptions = NONE
): { readonly says: string; readonly line?: string } => {
  const inView = options.get("option" in step ? step.option : "call" in step ? step.call : "")
  if (inView !== undefined) return { says: `${step.label}: ${inView}` }
  if ("option" in step) return { says: step.label }
  if (!("call" in step || "command" in step)) return { says: typedStep(step) }
  const line = typedStep(step).slice(step.label.length + 2)
  return line === "" ? { says: step.label } : { says: step.label, line }
}
