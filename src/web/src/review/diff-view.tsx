import { useMemo } from "react"
import type { DiffResult } from "../../../contract/rows/workspace-diff.ts"
import { plural } from "../parts/format.ts"
import { Text } from "../parts/text.tsx"
import { Counts, FileChange, type Form } from "./file.tsx"
import { partsByPath } from "./patch.ts"

const anchorOf = (at: number) => `change-${at}`

/** Files of a difference, and their lines inline or side by side. */
export const DiffView = ({ executable, form, of }: {
  readonly of: DiffResult
  readonly form: Form
  readonly executable: ReadonlyMap<string, string>
}) => {
  const parts = useMemo(() => partsByPath(of.patch ?? "", of.truncated === true), [of])
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
          />
        ))}
      </div>
    </div>
  )
}

/** Counts of a difference in a sentence. */
export const summaryText = ({ summary }: DiffResult): string =>
  `${plural(summary.files, "changed file")}, ${plural(summary.additions ?? 0, "line")} added, ${
    summary.deletions ?? 0
  } removed`
