import { useId } from "react"
import type { GivenTo } from "../../../../src/contract/rows/payload-of.ts"
import { count } from "../../../../src/contract/text/count.ts"
import type { Action } from "../live/action.ts"
import { useLoaded } from "../live/loaded.ts"
import { Steps } from "../parts/steps.tsx"
import { Message, Text } from "../parts/text.tsx"
import { perform, RequestFailed } from "../wire/calls.ts"
import { OPTIONS } from "./options.ts"

/** The daemon's check before the press: the changes, or the reason of a refusal. */
const useCheck = (request: GivenTo<"workspace.export"> | undefined, comparedAt: number) =>
  useLoaded(
    `${comparedAt} ${JSON.stringify(request ?? null)}`,
    async () => request === undefined ? undefined : await perform("workspace.export", { ...request, check: true })
  )

const saysOf = ({ files, removedFiles = 0, symlinks }: {
  readonly files: number
  readonly removedFiles?: number | undefined
  readonly symlinks: number
}) => {
  const changed = files + symlinks + removedFiles
  return changed === 0
    ? "The project has all these changes already, in "
    : `Applying changes ${count(changed, "file")}, which ${changed === 1 ? "is" : "are"} as expected, in `
}

/** Makes exactly the reviewed changes in the files of the project. `request` is undefined if the export would refuse the diff itself. */
export const ApplyPart = ({ action, compareAgain, comparedAt, request }: {
  readonly action: Action
  readonly compareAgain: () => void
  readonly comparedAt: number
  readonly request: GivenTo<"workspace.export"> | undefined
}) => {
  const says = useId()
  const { failure, isLoading, reload, value } = useCheck(request, comparedAt)
  const lookAgain = () => {
    action.clear()
    reload()
  }
  const isDone = value !== undefined && value.entries.length === 0
  const apply = async () => {
    const done = await action.run("apply", async () => {
      const { baselineMoved, entries, output } = await perform("workspace.export", request!)
      const next = baselineMoved === true ? " The review shows what changes from here on." : ""
      return `The reviewed diff is applied: ${count(entries.length, "file")} changed in ${output}.${next}`
    })
    if (done) compareAgain()
    else reload()
  }
  return (
    <>
      <p id={says} role="status" className={failure === undefined ? "faint" : "warning"}>
        {request === undefined
          ? null
          : failure !== undefined
          // The alert below says it once.
          ? failure.message === action.failure?.message
            ? null
            : <Message of={failure.message} />
          : value === undefined
          ? "Comparing the files of the project…"
          : (
            <>
              {saysOf(value)}
              <code>
                <Text of={value.output} />
              </code>
              {"."}
            </>
          )}
      </p>
      {value?.notes?.map(({ message, next = [] }, at) => (
        <div key={at} className="faint">
          <Text of={message} />
          <Steps of={next} options={OPTIONS} />
        </div>
      ))}
      {failure instanceof RequestFailed && failure.message !== action.failure?.message
        ? <Steps of={failure.next} options={OPTIONS} />
        : null}
      <div className="buttons">
        <button
          type="button"
          className="primary"
          disabled={value === undefined || isDone || isLoading || action.running !== undefined}
          aria-describedby={says}
          onClick={apply}
        >
          {action.running === "apply" ? "Applying…" : "Apply to the project"}
        </button>
        {failure === undefined
          ? null
          : (
            <button type="button" disabled={isLoading || action.running !== undefined} onClick={lookAgain}>
              Look at the files again
            </button>
          )}
      </div>
    </>
  )
}
