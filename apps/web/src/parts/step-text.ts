import type { NextStep } from "../../../../src/contract/errors/next-step.ts"
import { typedStep } from "../../../../src/contract/rows/next-steps.ts"

/** What stands for an option of the failed call in the view that made it, by the option's JSON name. */
export type PageOptions = Readonly<Record<string, string>>

/** A step in the page's words: the page has no options, and a command is typed in a terminal. */
export const stepText = (
  step: NextStep,
  options: PageOptions = {}
): { readonly says: string; readonly line?: string } => {
  if ("option" in step) {
    const inView = options[step.option]
    return { says: inView === undefined ? step.label : `${step.label}: ${inView}` }
  }
  const line = typedStep(step).slice(step.label.length + 2)
  return line === "" ? { says: step.label } : { says: step.label, line }
}
