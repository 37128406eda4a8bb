import { useMemo } from "react"
import type { DiffResult } from "../../../../src/contract/rows/workspace-diff.ts"
import { count } from "../../../../src/contract/text/count.ts"
import { countIn, type FileComments, type Placement } from "../comments/placement.ts"
import { Text } from "../parts/text.tsx"
import { Counts, FileChange } from "./file.tsx"
import type { Form } from "./hunks.tsx"
import { partsByPath, type PatchPart } from "./patch.ts"

const anchorOf = (at: number) => `change-${at}`

const CommentCount = ({ of }: { readonly of: FileComments | undefined }) =>
  of === undefined ? null : <span className="tag">{count(countIn(of), "comment")}</span>

/** The parts of a difference's patch by path. */
export const useParts = (of: DiffResult | undefined): ReadonlyMap<string, PatchPart> =>
  useMemo(() => partsByPath(of?.patch ?? "", of?.truncated === true), [of])

/** Comments that a difference is shown with. */
interface Commented {
  readonly workspace: string
  readonly placement: Placement
}

/** Files of a difference, and their lines inline or side by side. */
export const DiffView = ({ commented, executable, form, of, parts }: {
  readonly of: DiffResult
  readonly parts: ReadonlyMap<string, PatchPart>
  readonly form: Form
  readonly executable: ReadonlyMap<string, string>
  readonly commented?: Commented
}) => {
  const commentsOn = (path: string) => commented?.placement.byPath.get(path)
  return (
    <div className="review">
      <nav aria-label="Changed files" className="files">
        <ol>
          {of.files.map((file, at) => (
            <li key={file.path}>
              <a
                href={`#${anchorOf(at)}`}
                onClick={(event) => {
                  event.preventDefault()
                  const target = document.getElementById(anchorOf(at))
                  target?.scrollIntoView()
                  target?.focus({ preventScroll: true })
                }}
              >
                <Text of={file.path} />
              </a>
              <Counts of={file} />
              {executable.has(file.path) ? <span className="tag bad">runs on the host</span> : null}
              <CommentCount of={commentsOn(file.path)} />
            </li>
          ))}
        </ol>
      </nav>
      <div className="changes">
        {of.truncated === true
          ? (
            <p className="warning">
              The patch is longer than the page shows. Review the rest with the command line: pyro diff
            </p>
          )
          : null}
        {of.lossy === true
          ? <p className="warning">Some bytes of the patch are not UTF-8 and are shown as �.</p>
          : null}
        {of.files.map((file, at) => (
          <FileChange
            key={file.path}
            anchor={anchorOf(at)}
            of={file}
            part={parts.get(file.path)}
            executable={executable.get(file.path)}
            form={form}
            commented={commented?.workspace}
            comments={commentsOn(file.path)}
          />
        ))}
      </div>
    </div>
  )
}

/** Counts of a difference in a sentence. */
export const summaryText = ({ summary }: DiffResult): string =>
  `${count(summary.files, "changed file")}, ${count(summary.additions ?? 0, "line")} added, ${
    summary.deletions ?? 0
  } removed`
