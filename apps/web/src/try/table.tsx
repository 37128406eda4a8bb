import { Fragment, useMemo } from "react"
import type { CandidateResult, TestCounts } from "../../../../src/contract/rows/workspace-try-fields.ts"
import { count } from "../../../../src/contract/text/count.ts"
import { Lines } from "../parts/ansi-text.tsx"
import { AnsiLines } from "../parts/ansi.ts"
import { nameText } from "../parts/blanks.ts"
import { bytesText, durationText } from "../parts/format.ts"
import { Message, Text } from "../parts/text.tsx"
import type { Trial } from "./trial.ts"

const outcomes: Readonly<Record<CandidateResult["outcome"], readonly [text: string, tone: string]>> = {
  passed: ["passed", "good"],
  failed: ["failed", "bad"],
  timed_out: ["timed out", "bad"],
  patch_refused: ["patch refused", "bad"],
  error: ["not tried", "bad"],
  stopped: ["stopped", ""],
  not_started: ["not started", ""]
}

const outcomeOf = ({ outcome, status, step }: CandidateResult) => {
  const isEarly = step === "candidate" && (outcome === "failed" || outcome === "timed_out")
  const number = outcome === "failed" && status !== undefined ? ` (${status})` : ""
  return `${outcomes[outcome][0]}${number}${isEarly ? " before the check" : ""}`
}

const testsText = ({ failed, passed, skipped }: TestCounts) =>
  [`${passed} passed`, ...(failed > 0 ? [`${failed} failed`] : []), ...(skipped > 0 ? [`${skipped} skipped`] : [])]
    .join(", ")

const Outcome = ({ isStarted, isOver, of }: {
  readonly of: CandidateResult | undefined
  readonly isStarted: boolean
  readonly isOver: boolean
}) =>
  of !== undefined
    ? <span className={`tag ${outcomes[of.outcome][1]}`}>{outcomeOf(of)}</span>
    : isOver
    ? <span className="tag">ended</span>
    : <span className={`tag ${isStarted ? "busy" : ""}`}>{isStarted ? "running" : "waits"}</span>

/** The last lines of a candidate's output, and why it did not pass. */
const Output = ({ of: { name, outcome, reason, tail, truncated } }: { readonly of: CandidateResult }) => {
  const blocks = useMemo(() => {
    const lines = new AnsiLines()
    lines.push(tail.trimEnd())
    return lines.blocks()
  }, [tail])
  if (reason === undefined && tail.trim() === "") return null
  return (
    <tr>
      <td colSpan={6}>
        {reason === undefined ? null : (
          <p className="detail">
            <Message of={reason} />
          </p>
        )}
        {tail.trim() === "" ? null : (
          <details open={outcome !== "passed"}>
            <summary>
              {truncated ? "Last lines of the output of " : "Output of "}
              <Text of={name} />
            </summary>
            <pre className="console tail" tabIndex={0} role="region" aria-label={`Output of ${nameText(name)}`}>
              {blocks.map((lines, at) => <Lines key={at} of={lines} />)}
            </pre>
          </details>
        )}
      </td>
    </tr>
  )
}

/** Outcome of each candidate so far. `keep`: keeps a candidate of a try that has ended. Undefined: something else runs. */
export const TrialTable = ({ keep, of }: {
  readonly of: Trial
  readonly keep: ((candidate: string) => void) | undefined
}) => (
  <div className="scroll" tabIndex={0} role="region" aria-label="Table of the candidates">
    <table className="list tried">
      <thead>
        <tr>
          <th scope="col">Candidate</th>
          <th scope="col">Outcome</th>
          <th scope="col" className="number">Time</th>
          <th scope="col">Tests</th>
          <th scope="col">Changes</th>
          <th scope="col" className="number">Memory</th>
        </tr>
      </thead>
      <tbody>
        {of.names.map((name) => {
          const result = of.results.get(name)
          return (
            <Fragment key={name}>
              <tr>
                <th scope="row">
                  <span className="name">
                    <Text of={name} />
                  </span>
                  {name === of.kept
                    ? <span className="tag good">kept</span>
                    : name === of.best
                    ? <span className="tag">best</span>
                    : null}
                  {name !== of.kept && of.keepable?.includes(name) === true
                    ? (
                      <button
                        type="button"
                        aria-label={`Keep ${nameText(name)}`}
                        disabled={keep === undefined}
                        onClick={() => keep?.(name)}
                      >
                        Keep
                      </button>
                    )
                    : null}
                </th>
                <td>
                  <Outcome of={result} isStarted={of.started.has(name)} isOver={of.state !== "running"} />
                </td>
                <td className="number">
                  {result === undefined || result.durationMs === 0 ? "–" : durationText(result.durationMs)}
                </td>
                <td>{result?.tests === undefined ? "–" : testsText(result.tests)}</td>
                <td>
                  {result?.diff === undefined ? "–" : (
                    <>
                      {`${count(result.diff.files, "file")} `}
                      <span className="counts">
                        <span className="plus">{`+${result.diff.additions}`}</span>{" "}
                        <span className="minus">{`−${result.diff.deletions}`}</span>
                      </span>
                    </>
                  )}
                </td>
                <td className="number">
                  {result?.memoryBytes === undefined ? "–" : bytesText(result.memoryBytes)}
                </td>
              </tr>
              {result === undefined ? null : <Output of={result} />}
            </Fragment>
          )
        })}
      </tbody>
    </table>
  </div>
)
