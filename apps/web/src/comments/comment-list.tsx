import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react"
import { printable } from "../../../../src/contract/text/printable.ts"
import { announcement } from "../live/action.ts"
import { useStore } from "../live/store.ts"
import { nameText } from "../parts/blanks.ts"
import { Problem } from "../parts/problem.tsx"
import { Text } from "../parts/text.tsx"
import { type Comment, MOST_CHARACTERS } from "./comment.ts"
import { cancel, commentsOn, draftOf, edit, keepDraft, remove, save } from "./kept.ts"

/** Where the focus goes after a comment is gone: what had it before, or what the comment stands in. */
const focusNear = (element: Element | null, before: Element | null) => {
  const near = before instanceof HTMLElement && before.isConnected && before !== document.body
    ? before
    : element?.parentElement?.closest("article, section")
  if (near instanceof HTMLElement) near.focus()
}

const Form = ({ of, where, workspace }: {
  readonly of: Comment
  readonly where: string
  readonly workspace: string
}) => {
  const [text, setText] = useState(() => draftOf(of))
  const [failure, setFailure] = useState<Error>()
  const area = useRef<HTMLTextAreaElement>(null)
  const before = useRef<Element>(null)
  const field = useId()
  useEffect(() => {
    before.current = document.activeElement
    area.current?.focus()
  }, [])
  const isEmpty = text.trim() === ""
  const leave = () => {
    const item = area.current?.closest("li") ?? null
    if (of.text === "") focusNear(item, before.current)
    else item?.focus()
  }
  const keep = () => {
    if (isEmpty) return
    try {
      save(workspace, of, text.trim())
      announcement.set("The comment is kept in this browser.")
      leave()
    } catch (problem) {
      setFailure(problem as Error)
    }
  }
  const drop = () => {
    leave()
    cancel(workspace, of.id)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") drop()
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) keep()
    else return
    event.preventDefault()
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        keep()
      }}
    >
      <label htmlFor={field}>{`Comment on ${where}`}</label>
      <textarea
        ref={area}
        id={field}
        rows={3}
        value={text}
        maxLength={MOST_CHARACTERS}
        onKeyDown={onKeyDown}
        onChange={({ target }) => {
          setText(target.value)
          keepDraft(of.id, target.value)
        }}
      />
      {failure === undefined ? null : <Problem of={failure} />}
      <div className="buttons">
        <button type="submit" className="primary" disabled={isEmpty} title="Ctrl+Enter">Save the comment</button>
        <button type="button" title="Escape" onClick={drop}>Cancel</button>
      </div>
    </form>
  )
}

const Said = ({ isOutdated, of, where, workspace }: {
  readonly of: Comment
  readonly where: string
  readonly workspace: string
  readonly isOutdated: boolean
}) => (
  <>
    {isOutdated
      ? (
        <p className="faint">
          <span className="tag busy" title="Its lines have changed, or are not in the shown diff">outdated</span>{" "}
          <Text of={of.on === undefined ? of.file : `${of.file}:${of.on.line}`} />{" "}
          {of.on === undefined || of.on.quote === "" ? null : (
            <code>
              <Text of={of.on.quote} />
            </code>
          )}
        </p>
      )
      : null}
    <p className="words">{printable(of.text)}</p>
    <div className="buttons">
      <button type="button" aria-label={`Edit the comment on ${where}`} onClick={() => edit(workspace, of.id)}>
        Edit
      </button>
      <button
        type="button"
        aria-label={`Delete the comment on ${where}`}
        onClick={({ currentTarget }) => {
          const item = currentTarget.closest("li")
          focusNear(item, null)
          remove(workspace, of.id)
          announcement.set("The comment is deleted.")
        }}
      >
        Delete
      </button>
    </div>
  </>
)

/** Comments in one place, each as its text or as the form that changes it. */
export const CommentList = ({ isOutdated = false, of, where, workspace }: {
  readonly of: ReadonlyArray<Comment>
  readonly workspace: string
  /** What the comments are on, for a screen reader. */
  readonly where: string
  readonly isOutdated?: boolean
}) => {
  const { open } = useStore(commentsOn(workspace))
  if (of.length === 0) return null
  const place = nameText(where)
  return (
    <ul className="remarks" aria-label={`${isOutdated ? "Outdated comments" : "Comments"} on ${place}`}>
      {of.map((comment) => (
        <li key={comment.id} tabIndex={-1}>
          {open.has(comment.id)
            ? <Form of={comment} where={place} workspace={workspace} />
            : <Said of={comment} where={place} workspace={workspace} isOutdated={isOutdated} />}
        </li>
      ))}
    </ul>
  )
}
