import { memo, useId, useState } from "react"
import type { DiffFile } from "../../../../src/contract/rows/workspace-diff.ts"
import { count } from "../../../../src/contract/text/count.ts"
import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK, GIT_MODE_TEXT } from "../../../../src/contract/text/git-mode.ts"
import { CommentList } from "../comments/comment-list.tsx"
import { begin } from "../comments/kept.ts"
import { countIn, type FileComments } from "../comments/placement.ts"
import { nameText } from "../parts/blanks.ts"
import { bytesText } from "../parts/format.ts"
import { Opener } from "../parts/opener.tsx"
import { Text } from "../parts/text.tsx"
import { type Form, Hunks } from "./hunks.tsx"
import type { PatchPart } from "./patch.ts"

const kinds: ReadonlyMap<string, string> = new Map([
  [GIT_MODE_TEXT[GIT_FILE], "file"],
  [GIT_MODE_TEXT[GIT_EXECUTABLE], "executable file"],
  [GIT_MODE_TEXT[GIT_LINK], "symbolic link"]
])
const modeText = (mode: string | undefined) => mode === undefined ? "" : kinds.get(mode) ?? mode

const ModeChange = ({ of: { newMode, oldMode } }: { readonly of: DiffFile }) =>
  oldMode !== undefined && newMode !== undefined && oldMode !== newMode
    ? <span className="tag busy">{`${modeText(oldMode)} → ${modeText(newMode)}`}</span>
    : newMode !== undefined && newMode !== GIT_MODE_TEXT[GIT_FILE] && oldMode === undefined
    ? <span className="tag busy">{modeText(newMode)}</span>
    : null

export const Counts = ({ of: { additions, binary, deletions } }: {
  readonly of: Pick<DiffFile, "additions" | "deletions" | "binary">
}) =>
  binary === true ? <span className="faint">binary</span> : (
    <span className="counts">
      <span className="plus">{`+${additions ?? 0}`}</span> <span className="minus">{`−${deletions ?? 0}`}</span>
    </span>
  )

/** Lines up to which a file is open from the start. */
const OPEN_LINES = 400

/** One changed file: its facts, and its lines when it is open. */
export const FileChange = memo(({ anchor, commented, comments, executable, form, of, part }: {
  readonly of: DiffFile
  /** Its part of the patch. Undefined if the patch ends before. */
  readonly part: PatchPart | undefined
  readonly executable: string | undefined
  readonly form: Form
  readonly anchor: string
  /** Id of the workspace that the person may comment on. Undefined if there are no comments on this diff. */
  readonly commented: string | undefined
  readonly comments: FileComments | undefined
}) => {
  const [isOpen, setOpen] = useState((part?.lineCount ?? 0) <= OPEN_LINES)
  const body = useId()
  return (
    <article className="change" id={anchor} aria-label={nameText(of.path)} tabIndex={-1}>
      <h3>
        <Opener controls={body} isOpen={isOpen} setOpen={setOpen}>
          <span className="mono">
            {of.from === undefined ? null : (
              <>
                <Text of={of.from} />
                {" → "}
              </>
            )}
            <Text of={of.path} />
          </span>
        </Opener>
        <span className={`tag ${of.status === "deleted" ? "bad" : of.status === "added" ? "good" : ""}`}>
          {of.status.replace("_", " ")}
        </span>
        <ModeChange of={of} />
        {executable === undefined ? null : <span className="tag bad" title={executable}>runs on the host</span>}
        <Counts of={of} />
        {comments === undefined ? null : <span className="tag">{count(countIn(comments), "comment")}</span>}
        {commented === undefined ? null : (
          <button
            type="button"
            aria-label={`Comment on ${nameText(of.path)}`}
            onClick={() => begin(commented, of.path)}
          >
            Comment
          </button>
        )}
      </h3>
      {commented === undefined || comments === undefined ? null : (
        <>
          <CommentList of={comments.onFile} where={of.path} workspace={commented} />
          <CommentList of={comments.outdated} where={of.path} workspace={commented} isOutdated />
        </>
      )}
      {executable === undefined
        ? null
        : <p className="warning">{`Tools of your computer may run this file by themselves: ${executable}.`}</p>}
      <div id={body}>
        {!isOpen
          ? null
          : of.tooLarge === true
          ? <p className="faint">{`Too large for a patch: ${bytesText(of.size)}.`}</p>
          : of.status === "mounted"
          ? <p className="faint">The guest mounted something over this path. Changes beneath are unknown.</p>
          : part === undefined
          ? <p className="faint">Beyond the shown part of the patch.</p>
          : part.isBinary
          ? <p className="faint">{`Binary content, ${bytesText(of.size)}.`}</p>
          : part.hunks.length === 0
          ? <p className="faint">No changed lines.</p>
          : <Hunks of={part} form={form} path={of.path} commented={commented} comments={comments?.onLines} />}
      </div>
    </article>
  )
})
