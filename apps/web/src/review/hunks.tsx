import { Fragment, type KeyboardEvent, useEffect, useRef, useState } from "react"
import { count } from "../../../../src/contract/text/count.ts"
import { printable } from "../../../../src/contract/text/printable.ts"
import { CommentList } from "../comments/comment-list.tsx"
import type { Comment } from "../comments/comment.ts"
import { begin } from "../comments/kept.ts"
import { numberOf, placeOf } from "../comments/placement.ts"
import { nameText } from "../parts/blanks.ts"
import { type DiffHunk, type DiffLine, paired, type PatchPart } from "./patch.ts"

export type Form = "inline" | "split"

const toneOf = ({ sign }: DiffLine) => sign === "+" ? "added" : sign === "-" ? "removed" : sign === "\\" ? "note" : ""

const names: Readonly<Record<DiffLine["sign"], string>> = { "+": "added", "-": "removed", " ": "", "\\": "" }

const lineText = (line: DiffLine) => `${names[line.sign]} line ${numberOf(line)}`.trimStart()

const Sign = ({ of }: { readonly of: DiffLine }) => (
  <>
    <span aria-hidden="true" className="sign">{of.sign}</span>
    {names[of.sign] === "" ? null : <span className="unseen">{`${names[of.sign]}: `}</span>}
  </>
)

/** What a hunk needs for comments on its lines. */
interface Commenting {
  readonly workspace: string
  readonly comment: (line: DiffLine) => void
  readonly on: ReadonlyMap<DiffLine, ReadonlyArray<Comment>> | undefined
}

/** The number of a line. It is a button if the person may comment on the line. Arrow keys go from one to the next, so that Tab passes them all. */
const LineNumber = ({ commenting, number, of }: {
  readonly of: DiffLine
  readonly number: number | undefined
  readonly commenting: Commenting | undefined
}) =>
  commenting === undefined || number === undefined ? number : (
    <button
      type="button"
      className="number"
      tabIndex={-1}
      aria-label={`Comment on ${lineText(of)}`}
      onClick={() => commenting.comment(of)}
    >
      {number}
    </button>
  )

const LineComments = ({ columns, commenting, lines }: {
  readonly lines: ReadonlyArray<DiffLine | undefined>
  readonly columns: number
  readonly commenting: Commenting | undefined
}) => {
  if (commenting?.on === undefined) return null
  return [...new Set(lines)].map((line) => {
    const comments = line === undefined ? undefined : commenting.on!.get(line)
    return line === undefined || comments === undefined ? null : (
      <tr key={line.sign} className="said">
        <td colSpan={columns}>
          <CommentList of={comments} where={lineText(line)} workspace={commenting.workspace} />
        </td>
      </tr>
    )
  })
}

interface Shown {
  readonly of: DiffHunk
  readonly commenting: Commenting | undefined
}

const InlineHunk = ({ commenting, of: { lines } }: Shown) =>
  lines.map((line, at) => (
    <Fragment key={at}>
      <tr className={toneOf(line)}>
        <td className="at">
          {line.new === undefined ? <LineNumber of={line} number={line.old} commenting={commenting} /> : line.old}
        </td>
        <td className="at">
          <LineNumber of={line} number={line.new} commenting={commenting} />
        </td>
        <td className="line">
          <Sign of={line} />
          {printable(line.text)}
        </td>
      </tr>
      <LineComments lines={[line]} columns={3} commenting={commenting} />
    </Fragment>
  ))

const Half = ({ commenting, number, of }: {
  readonly of: DiffLine | undefined
  readonly number: number | undefined
  readonly commenting: Commenting | undefined
}) => (
  <>
    <td className={`at ${of === undefined ? "none" : toneOf(of)}`}>
      {of === undefined ? null : <LineNumber of={of} number={number} commenting={commenting} />}
    </td>
    <td className={`line ${of === undefined ? "none" : toneOf(of)}`}>
      {of === undefined ? null : (
        <>
          <Sign of={of} />
          {printable(of.text)}
        </>
      )}
    </td>
  </>
)

/** A line of both sides has its button on the right. */
const SplitHunk = ({ commenting, of: { lines } }: Shown) =>
  paired(lines).map(([left, right], at) => (
    <Fragment key={at}>
      <tr>
        <Half of={left} number={left?.old} commenting={left === right ? undefined : commenting} />
        <Half of={right} number={right?.new} commenting={commenting} />
      </tr>
      <LineComments lines={[left, right]} columns={4} commenting={commenting} />
    </Fragment>
  ))

/** Lines of one file that are shown at a time. */
const SHOWN_LINES = 1_000

/** The hunks up to a number of lines, each with the whole hunk that its comments belong to. A longer hunk is cut. */
const upTo = (hunks: ReadonlyArray<DiffHunk>, most: number) => {
  const found: Array<{ readonly shown: DiffHunk; readonly whole: DiffHunk }> = []
  let left = most
  for (const hunk of hunks) {
    if (left <= 0) break
    found.push({
      shown: hunk.lines.length <= left ? hunk : { ...hunk, lines: hunk.lines.slice(0, left) },
      whole: hunk
    })
    left -= hunk.lines.length
  }
  return found
}

const numbersIn = (table: Element) => [...table.querySelectorAll<HTMLButtonElement>("button.number")]

const steps: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  Home: () => 0,
  End: (_, last) => last
}

/** One of the line numbers is reached by Tab: the first, and then the one that had the focus last. */
const moveFocus = (event: KeyboardEvent<HTMLTableElement>) => {
  const step = steps[event.key]
  if (step === undefined || !(event.target instanceof HTMLButtonElement) || event.target.className !== "number") return
  const numbers = numbersIn(event.currentTarget)
  const next = numbers[step(numbers.indexOf(event.target), numbers.length - 1)]
  event.preventDefault()
  if (next === undefined) return
  event.target.tabIndex = -1
  next.tabIndex = 0
  next.focus()
}

/** The lines of one file. With a workspace, each line's number begins a comment. */
export const Hunks = ({ commented, comments, form, of, path }: {
  readonly of: PatchPart
  readonly form: Form
  readonly path: string
  readonly commented: string | undefined
  readonly comments: ReadonlyMap<DiffLine, ReadonlyArray<Comment>> | undefined
}) => {
  const [most, setMost] = useState(SHOWN_LINES)
  const table = useRef<HTMLTableElement>(null)
  useEffect(() => {
    const numbers = numbersIn(table.current!)
    if (numbers[0] !== undefined && numbers.every(({ tabIndex }) => tabIndex < 0)) numbers[0].tabIndex = 0
  }, [form, of, most])
  const commentingIn = (hunk: DiffHunk): Commenting | undefined =>
    commented === undefined ? undefined : {
      workspace: commented,
      on: comments,
      comment: (line) => void placeOf(hunk, line).then((place) => begin(commented, path, place))
    }
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={`Lines of ${nameText(path)}`}>
      <table ref={table} className={`diff ${form}`} onKeyDown={moveFocus}>
        {form === "split"
          ? (
            <colgroup>
              <col className="at" />
              <col />
              <col className="at" />
              <col />
            </colgroup>
          )
          : null}
        <tbody>
          {upTo(of.hunks, most).map(({ shown, whole }, at) => (
            <Fragment key={at}>
              <tr className="hunk">
                <td colSpan={form === "split" ? 4 : 3}>{printable(shown.header)}</td>
              </tr>
              {form === "split"
                ? <SplitHunk of={shown} commenting={commentingIn(whole)} />
                : <InlineHunk of={shown} commenting={commentingIn(whole)} />}
            </Fragment>
          ))}
        </tbody>
      </table>
      {of.lineCount <= most ? null : (
        <button type="button" onClick={() => setMost(most + SHOWN_LINES)}>
          {`Show more of ${count(of.lineCount, "line")}`}
        </button>
      )}
    </div>
  )
}
