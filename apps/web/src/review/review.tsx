import { useEffect, useMemo, useRef, useState } from "react"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { count } from "../../../../src/contract/text/count.ts"
import { useLoaded } from "../live/loaded.ts"
import { Problem } from "../parts/problem.tsx"
import { Text } from "../parts/text.tsx"
import { ask } from "../wire/calls.ts"
import { WHOLE_DIFF_BYTES } from "../workspace/unexported.ts"
import { CommentedDiff } from "./commented-diff.tsx"
import { summaryText } from "./diff-view.tsx"
import { ExportPanel } from "./export.tsx"
import { FormChoice, useForm } from "./form.tsx"
import { executableMarks } from "./marks.ts"
import { WaitingExports } from "./waiting.tsx"

/** An applied diff counts as a use, which the page hears of within this time. */
const APPLIED_MS = 1_000

/** The changes of a workspace since its creation, and their export. */
export const Review = ({ of }: { readonly of: WorkspaceInfo }) => {
  const [form, setForm] = useForm()
  const [verified, setVerified] = useState(false)
  const [includeIgnored, setIncludeIgnored] = useState(false)
  const { failure, isLoading, reload, value } = useLoaded(
    `${of.id} ${verified} ${includeIgnored}`,
    async () => ({
      diff: await ask("workspace.diff", { maxBytes: WHOLE_DIFF_BYTES, workspace: of.id, verified, includeIgnored }),
      readAt: of.lastActivityAt,
      comparedAt: performance.now()
    })
  )
  const appliedAt = useRef(-Infinity)
  const compareApplied = () => {
    appliedAt.current = performance.now()
    reload()
  }
  useEffect(() => {
    if (performance.now() - appliedAt.current > APPLIED_MS) return
    appliedAt.current = -Infinity
    reload()
  }, [of.lastActivityAt, reload])
  const executable = useMemo(() => executableMarks(value?.diff.files ?? []), [value])
  const isOld = value !== undefined && value.readAt !== of.lastActivityAt
  return (
    <section aria-labelledby="review">
      <div className="heading">
        <h2 id="review">Review</h2>
        <p role="status" className="faint">
          {value === undefined ? isLoading ? "Comparing…" : "" : summaryText(value.diff)}
          {value !== undefined && value.diff.ignoredCount > 0 && !includeIgnored
            ? `; ${count(value.diff.ignoredCount, "ignored file")} left out${
              value.diff.defaultRules === undefined ? "" : ` (pyro's list: ${value.diff.defaultRules.join(", ")})`
            }`
            : ""}
          {value?.diff.nestedCount === undefined ? "" : (
            <>
              {`; new files of ${value.diff.nestedCount} repositories made in the workspace left out: `}
              <Text of={(value.diff.nested ?? []).slice(0, 5).join(", ")} />
            </>
          )}
        </p>
        <FormChoice form={form} setForm={setForm} />
        <label className="check">
          <input
            type="checkbox"
            checked={includeIgnored}
            onChange={({ target }) => setIncludeIgnored(target.checked)}
          />
          ignored files, too
        </label>
        <label className="check">
          <input type="checkbox" checked={verified} onChange={({ target }) => setVerified(target.checked)} />
          verified: read all files, trust no times
        </label>
        <button type="button" disabled={isLoading} onClick={reload}>
          {isLoading ? "Comparing…" : "Compare again"}
        </button>
      </div>
      <WaitingExports of={of} reviewed={value?.diff.digest} compareAgain={compareApplied} />
      {isOld
        ? (
          <p className="warning" role="status">
            The workspace was used since this comparison, or changes were applied. Compare again before you export.
          </p>
        )
        : null}
      {failure === undefined ? null : <Problem of={failure} retry={reload} />}
      {value === undefined ? null : (
        <>
          <ExportPanel
            key={value.diff.digest}
            of={of}
            diff={value.diff}
            comparedAt={value.comparedAt}
            executable={executable}
            includesIgnored={includeIgnored}
            compareAgain={compareApplied}
          />
          {value.diff.unlisted > 0
            ? <p className="warning">{`${value.diff.unlisted} further files are not listed.`}</p>
            : null}
          {value.diff.specialCount > 0
            ? <p className="faint">{`${value.diff.specialCount} new sockets, FIFOs or devices are in no patch.`}</p>
            : null}
          <CommentedDiff of={value.diff} workspace={of.id} form={form} executable={executable} />
        </>
      )}
    </section>
  )
}
