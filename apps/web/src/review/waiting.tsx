import type { WaitingExport } from "../../../../src/contract/rows/workspace-answer.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { count } from "../../../../src/contract/text/count.ts"
import { useAction } from "../live/action.ts"
import { bytesText } from "../parts/format.ts"
import { Problem } from "../parts/problem.tsx"
import { Text } from "../parts/text.tsx"
import { ask } from "../wire/calls.ts"

/** Subject of the answer: the reviewed diff, or content that the review does not show. */
const contentText = ({ bytes, digest, files, kind }: WaitingExport, reviewed: string | undefined) =>
  kind !== "patch" && kind !== "changes"
    ? `${count(files, "file")}, ${
      bytesText(bytes)
    }. The review shows changes alone: look at the files before you allow it.`
    : digest === reviewed
    ? "It is exactly the diff below."
    : "It is not the diff below: the workspace has changed since, or the export is a part of the diff."

/** An export that waits for the person, with the answers. */
const Question = ({ compareAgain, of, reviewed, workspace }: {
  readonly compareAgain: () => void
  readonly of: WaitingExport
  readonly reviewed: string | undefined
  readonly workspace: string
}) => {
  const { failure, run, running } = useAction()
  const answer = (decision: "allow" | "deny") => async () => {
    const done = await run(decision, async () => {
      await ask("workspace.answer", { workspace, request: of.request, decision })
      return decision === "allow" ? `The export to ${of.output} is allowed.` : `The export to ${of.output} is denied.`
    })
    if (done && decision === "allow" && of.kind === "changes") compareAgain()
  }
  const isBusy = running !== undefined
  return (
    <li>
      <p>
        {of.kind === "changes" ? "Changes wait for you, to be made in " : `An export (${of.kind}) waits for you, to `}
        <code>
          <Text of={of.output} />
        </code>
        {`${of.overwrite === true ? ", and replaces what exists there" : ""}. ${contentText(of, reviewed)}`}
        {of.client === undefined ? null : (
          <>
            {" Asked by "}
            <Text of={of.client} />
            {"."}
          </>
        )}
      </p>
      <div className="buttons">
        <button type="button" className="primary" disabled={isBusy} onClick={answer("allow")}>Allow the export</button>
        <button type="button" disabled={isBusy} onClick={answer("deny")}>Deny it</button>
      </div>
      {failure === undefined ? null : <Problem of={failure} />}
    </li>
  )
}

/** All exports of a workspace that wait for the person. `reviewed` is the digest of the diff that the page shows. */
export const WaitingExports = ({ compareAgain, of: { id, pendingExports = [] }, reviewed }: {
  /** Changes that were allowed are part of the baseline. */
  readonly compareAgain: () => void
  readonly of: WorkspaceInfo
  readonly reviewed: string | undefined
}) =>
  pendingExports.length === 0 ? null : (
    <ul className="export waiting" aria-label="Exports that wait for you">
      {pendingExports.map((one) => (
        <Question key={one.request} of={one} reviewed={reviewed} workspace={id} compareAgain={compareAgain} />
      ))}
    </ul>
  )
