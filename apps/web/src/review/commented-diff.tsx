import type { DiffResult } from "../../../../src/contract/rows/workspace-diff.ts"
import { CommentsPanel } from "../comments/panel.tsx"
import { usePlacement } from "../comments/use-placement.ts"
import { DiffView, useParts } from "./diff-view.tsx"
import type { Form } from "./hunks.tsx"

/** The diff of a workspace with the comments of the person. */
export const CommentedDiff = ({ executable, form, of, workspace }: {
  readonly of: DiffResult
  readonly workspace: string
  readonly form: Form
  readonly executable: ReadonlyMap<string, string>
}) => {
  const parts = useParts(of)
  const placement = usePlacement(workspace, of.files, parts)
  return (
    <>
      {of.files.length === 0 && placement.gone.length === 0
        ? null
        : <CommentsPanel of={placement} workspace={workspace} files={of.files} parts={parts} />}
      {of.files.length === 0
        ? <p className="empty">No changes.</p>
        : (
          <DiffView
            of={of}
            parts={parts}
            form={form}
            executable={executable}
            commented={{ workspace, placement }}
          />
        )}
    </>
  )
}
