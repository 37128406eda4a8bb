import { Fragment, memo, useId, useState } from "react"
import type { DiffFile } from "../../../contract/rows/workspace-diff.ts"
import { printable } from "../../../contract/text/printable.ts"
import { bytesText, plural } from "../parts/format.ts"
import { Text } from "../parts/text.tsx"
import { type DiffHunk, type DiffLine, paired, type PatchPart } from "./patch.ts"

export type Form = "inline" | "split"

const toneOf = ({ sign }: DiffLine) => sign === "+" ? "added" : sign === "-" ? "removed" : sign === "\\" ? "note" : ""

const names: Readonly<Record<DiffLine["sign"], string>> = { "+": "added", "-": "removed", " ": "", "\\": "" }

const Sign = ({ of }: { readonly of: DiffLine }) => (
  <>
    <span aria-hidden="true" className="sign">{of.sign}</span>
    {names[of.sign] === "" ? null : <span className="unseen">{`${names[of.sign]}: `}</span>}
  </>
)

const InlineHunk = ({ of: { lines } }: { readonly of: DiffHunk }) => (
  <>
    {lines.map((line, at) => (
      <tr key={at} className={toneOf(line)}>
        <td className="at">{line.old}</td>
        <td className="at">{line.new}</td>
        <td className="line">
          <Sign of={line} />
          {printable(line.text)}
        </td>
      </tr>
    ))}
  </>
)

const Half = ({ number, of }: { readonly of: DiffLine | undefined; readonly number: number | undefined }) => (
  <>
    <td className={`at ${of === undefined ? "none" : toneOf(of)}`}>{number}</td>
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

const SplitHunk = ({ of: { lines } }: { readonly of: DiffHunk }) => (
  <>
    {paired(lines).map(([left, right], at) => (
      <tr key={at}>
        <Half of={left} number={left?.old} />
        <Half of={right} number={right?.new} />
      </tr>
    ))}
  </>
)

/** Lines of one file that are shown at a time. */
const SHOWN_LINES = 1_000

/** The hunks up to a number of lines. A longer hunk is cut. */
const upTo = (hunks: ReadonlyArray<DiffHunk>, most: number): ReadonlyArray<DiffHunk> => {
  const found: Array<DiffHunk> = []
  let left = most
  for (const hunk of hunks) {
    if (left <= 0) break
    found.push(hunk.lines.length <= left ? hunk : { ...hunk, lines: hunk.lines.slice(0, left) })
    left -= hunk.lines.length
  }
  return found
}

const Hunks = ({ form, of, path }: { readonly of: PatchPart; readonly form: Form; readonly path: string }) => {
  const [most, setMost] = useState(SHOWN_LINES)
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={`Lines of ${printable(path)}`}>
      <table className={`diff ${form}`}>
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
          {upTo(of.hunks, most).map((hunk, at) => (
            <Fragment key={at}>
              <tr className="hunk">
                <td colSpan={form === "split" ? 4 : 3}>{printable(hunk.header)}</td>
              </tr>
              {form === "split" ? <SplitHunk of={hunk} /> : <InlineHunk of={hunk} />}
            </Fragment>
          ))}
        </tbody>
      </table>
      {of.lineCount <= most ? null : (
        <button type="button" onClick={() => setMost(most + SHOWN_LINES)}>
          {`Show more of ${plural(of.lineCount, "line")}`}
        </button>
      )}
    </div>
  )
}

const kinds: ReadonlyMap<string, string> = new Map([
  ["100644", "file"],
  ["100755", "executable file"],
  ["120000", "symbolic link"]
])
const modeText = (mode: string | undefined) => mode === undefined ? "" : kinds.get(mode) ?? mode

const ModeChange = ({ of: { newMode, oldMode } }: { readonly of: DiffFile }) =>
  oldMode !== undefined && newMode !== undefined && oldMode !== newMode
    ? <span className="tag busy">{`${modeText(oldMode)} → ${modeText(newMode)}`}</span>
    : newMode !== undefined && newMode !== "100644" && oldMode === undefined
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
export const FileChange = memo(({ anchor, executable, form, of, part }: {
  readonly of: DiffFile
  /** Its part of the patch. Undefined if the patch ends before. */
  readonly part: PatchPart | undefined
  readonly executable: string | undefined
  readonly form: Form
  readonly anchor: string
}) => {
  const [isOpen, setOpen] = useState((part?.lineCount ?? 0) <= OPEN_LINES)
  const body = useId()
  return (
    <article className="change" id={anchor} aria-label={printable(of.path)} tabIndex={-1}>
      <h3>
        <button
          type="button"
          className="opener"
          aria-expanded={isOpen}
          aria-controls={body}
          onClick={() => setOpen(!isOpen)}
        >
          <span aria-hidden="true" className="arrow">{isOpen ? "▾" : "▸"}</span>
          <span className="mono">
            {of.from === undefined ? null : (
              <>
                <Text of={of.from} />
                {" → "}
              </>
            )}
            <Text of={of.path} />
          </span>
        </button>
        <span className={`tag ${of.status === "deleted" ? "bad" : of.status === "added" ? "good" : ""}`}>
          {of.status.replace("_", " ")}
        </span>
        <ModeChange of={of} />
        {executable === undefined ? null : <span className="tag bad" title={executable}>runs on the host</span>}
        <Counts of={of} />
      </h3>
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
          : <Hunks of={part} form={form} path={of.path} />}
      </div>
    </article>
  )
})
