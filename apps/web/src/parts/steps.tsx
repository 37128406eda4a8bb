import type { NextStep } from "../../../../src/contract/errors/next-step.ts"
import { calledRow } from "../../../../src/contract/rows/next-steps.ts"
import { useAction } from "../live/action.ts"
import { performStep } from "../wire/calls.ts"
import { type PageOptions, stepText } from "./step-text.ts"
import { Message, Text } from "./text.tsx"

/** Calls that a button makes as they are: they need no choice, and lose nothing. */
const BUTTONS: ReadonlySet<string> = new Set(["workspace.start", "workspace.resume", "workspace.stop"])

type CallStep = Extract<NextStep, { readonly call: string }>

const hasButton = (step: NextStep): step is CallStep =>
  "call" in step && step.choose === undefined && BUTTONS.has(step.call) && calledRow(step) !== undefined

const StepButton = ({ step }: { readonly step: CallStep }) => {
  const { failure, run, running } = useAction()
  const take = () =>
    run(step.call, async () => {
      await performStep(step)
      return `${step.label}: done.`
    })
  return (
    <li>
      <button type="button" disabled={running !== undefined} onClick={take}>
        <Text of={step.label} />
      </button>
      {failure === undefined ? null : <Message of={` ${failure.message}`} />}
    </li>
  )
}

/** What to do next after a failure. */
export const Steps = ({ of, options }: { readonly of: ReadonlyArray<NextStep>; readonly options?: PageOptions }) =>
  of.length === 0 ? null : (
    <ul className="steps">
      {of.map((step, at) => {
        if (hasButton(step)) return <StepButton key={at} step={step} />
        const { line, says } = stepText(step, options)
        return (
          <li key={at}>
            <Text of={says} />
            {line === undefined ? null : (
              <>
                {", in a terminal: "}
                <code>
                  <Text of={line} />
                </code>
              </>
            )}
          </li>
        )
      })}
    </ul>
  )
