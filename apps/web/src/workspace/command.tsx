import { useCallback } from "react"
import { useAction } from "../live/action.ts"
import { Output, type OutputPart } from "../parts/output.tsx"
import { Problem } from "../parts/problem.tsx"
import { ask } from "../wire/calls.ts"

/** Output of a command, and the step that ends it while it runs. */
export const Command = ({ execId, isRunning, label, outputBytes, workspace }: {
  readonly workspace: string
  readonly execId: string
  readonly label: string
  readonly isRunning: boolean
  readonly outputBytes: number
}) => {
  const { failure, run, running } = useAction()
  const read = useCallback(async (cursor: number, maxBytes: number): Promise<OutputPart> => {
    const { nextCursor, output = "", skippedBytes } = await ask("workspace.logs", {
      workspace,
      execId,
      cursor,
      maxBytes,
      limit: 1
    })
    return { text: output, next: nextCursor, skippedBytes }
  }, [workspace, execId])
  const cancel = () =>
    run("cancel", async () => {
      const { cancelled } = await ask("workspace.cancel", { workspace, execId })
      return cancelled ? "The command is ended." : "The command had ended before."
    })
  return (
    <>
      <Output label={`Output of ${label}`} size={outputBytes} isRunning={isRunning} read={read} />
      {isRunning
        ? (
          <button type="button" disabled={running !== undefined} onClick={cancel}>
            {running === undefined ? "End the command" : "Ending…"}
          </button>
        )
        : null}
      {failure === undefined ? null : <Problem of={failure} />}
    </>
  )
}
