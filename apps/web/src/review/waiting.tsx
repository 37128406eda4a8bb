import type { WaitingExport } from "../../../../src/contract/rows/workspace-answer.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { count } from "../../../../src/contract/text/count.ts"
import { bytesText } from "../parts/format.ts"
import { Text } from "../parts/text.tsx"
import { Question, Questions } from "../parts/waiting.tsx"

/** Subject of the answer: the reviewed diff, or content that the review does not show. */
const contentText = ({ bytes, digest, files, kind }: WaitingExport, reviewed: string | undefined) =>
  kind !== "patch" && kind !== "changes"
    ? `${count(files, "file")}, ${
      bytesText(bytes)
    }. The review shows changes alone: look at the files before you allow it.`
    : digest === reviewed
    ? "It is exactly the diff below."
    : "It is not the diff below: the workspace has changed since, or the export is a part of the diff."

/** All exports of a workspace that wait for the person. `reviewed` is the digest of the diff that the page shows. */
export const WaitingExports = ({ compareAgain, of: { id, pendingExports = [] }, reviewed }: {
  /** Changes that were allowed are part of the baseline. */
  readonly compareAgain: () => void
  readonly of: WorkspaceInfo
  readonly reviewed: string | undefined
}) => (
  <Questions subjects="Exports">
    {pendingExports.map((one) => (
      <Question
        key={one.request}
        request={one.request}
        subject="export"
        to={one.output}
        workspace={id}
        {...(one.kind === "changes" ? { onAllowed: compareAgain } : {})}
      >
        {one.kind === "changes"
          ? "Changes wait for you, to be made in "
          : `An export (${one.kind}) waits for you, to `}
        <code>
          <Text of={one.output} />
        </code>
        {`${one.overwrite === true ? ", and replaces what exists there" : ""}. ${contentText(one, reviewed)}`}
        {one.client === undefined ? null : (
          <>
            {" Asked by "}
            <Text of={one.client} />
            {"."}
          </>
        )}
      </Question>
    ))}
  </Questions>
)
