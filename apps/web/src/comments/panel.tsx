import { useId } from "react"
import type { DiffFile } from "../../../../src/contract/rows/workspace-diff.ts"
import { count } from "../../../../src/contract/text/count.ts"
import { useAction } from "../live/action.ts"
import { useStore } from "../live/store.ts"
import { Problem } from "../parts/problem.tsx"
import type { PatchPart } from "../review/patch.ts"
import { CommentList } from "./comment-list.tsx"
import { commentsOn } from "./kept.ts"
import { commentsText, placed, type Placement } from "./placement.ts"

/** The comments on a workspace as a whole: their number, their text for an agent, and those whose file is no longer in the diff. */
export const CommentsPanel = ({ files, of, parts, workspace }: {
  readonly of: Placement
  readonly workspace: string
  readonly files: ReadonlyArray<DiffFile>
  readonly parts: ReadonlyMap<string, PatchPart>
}) => {
  const { failure, run, running } = useAction()
  const { comments } = useStore(commentsOn(workspace))
  const heading = useId()
  const saved = comments.filter(({ text }) => text !== "")
  const copy = () =>
    run("copy", async () => {
      await navigator.clipboard.writeText(commentsText(await placed(saved, files, parts), files, parts))
      return `${count(saved.length, "comment")} copied.`
    })
  return (
    <section className="comments" aria-labelledby={heading} tabIndex={-1}>
      <div className="heading">
        <h3 id={heading}>Comments</h3>
        <p className="faint">
          {saved.length === 0
            ? "Press the number of a line to comment on it. Comments stay in this browser."
            : `${count(saved.length, "comment")} in this browser`}
        </p>
        {saved.length === 0 ?
          null :
          <button type="button" disabled={running !== undefined} onClick={copy}>Copy all comments</button>}
      </div>
      {failure === undefined ? null : <Problem of={failure} />}
      <CommentList of={of.gone} where="files that are not in the diff" workspace={workspace} isOutdated />
    </section>
  )
}
