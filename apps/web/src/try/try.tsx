import { useEffect, useRef } from "react"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { useAction } from "../live/action.ts"
import { useStore } from "../live/store.ts"
import { Problem } from "../parts/problem.tsx"
import { Link, pathOf } from "../parts/route.tsx"
import { Steps } from "../parts/steps.tsx"
import { Text } from "../parts/text.tsx"
import { rewoundText } from "../tree/rewound.ts"
import { perform } from "../wire/calls.ts"
import { RequestForm } from "./request.tsx"
import { TrialTable } from "./table.tsx"
import { cancelTrial, isKeeping, keepLater, markUndone, type Trial, trialOf } from "./trial.ts"

const progressText = (trial: Trial) => {
  const { names, results, state } = trial
  const passed = [...results.values()].filter(({ outcome }) => outcome === "passed").length
  const counts = `${results.size} of ${names.length} ended, ${passed} passed`
  return state === "cancelled"
    ? `You ended the try: ${counts}.`
    : state === "failed"
    ? `The try failed: ${counts}.`
    : isKeeping(trial)
    ? `${counts}. Keeping…`
    : `${counts}.`
}

/** Result of the try for the workspace, and the way back. */
const Kept = ({ of, trial }: { readonly of: WorkspaceInfo; readonly trial: Trial }) => {
  const { failure, run, running } = useAction()
  const { isUndone = false, keep, kept, state, undo } = trial
  const name = of.name ?? of.id
  if (state !== "done") return null
  const goBack = (to: string) => () =>
    run("undo", async () => {
      const rewound = await perform("workspace.rewind", { workspace: of.id, to })
      markUndone(of.id)
      return `${name} is as it was before the keep. ${rewoundText(rewound)}`
    })
  return (
    <>
      <p>
        <Text of={name} />
        {isUndone
          ? " is as it was before the keep."
          : kept === undefined
          ? ` is as it was${keep === "none" ? "" : ": no candidate was kept"}.`
          : (
            <>
              {" became "}
              <strong>
                <Text of={kept} />
              </strong>
              {". "}
              <Link to={pathOf(of.id, "review")}>Review the result</Link>
            </>
          )}
      </p>
      {undo === undefined ? null : (
        <div className="buttons">
          <button type="button" disabled={running !== undefined} onClick={goBack(undo)}>
            {running === undefined ? "Undo the keep" : "Going back…"}
          </button>
        </div>
      )}
      {failure === undefined ? null : <Problem of={failure} />}
    </>
  )
}

/** Tries several changes of a workspace at once, and shows what became of each. */
export const Try = ({ of }: { readonly of: WorkspaceInfo }) => {
  const trial = useStore(trialOf(of.id))
  const results = useRef<HTMLElement>(null)
  const wasRunning = useRef(trial?.state === "running")
  const isRunning = trial?.state === "running"
  const { failure, run, running } = useAction()
  const keep = (candidate: string) => void run("keep", () => keepLater(of.id, candidate))
  // The button that began the try cannot keep the focus: it is disabled now.
  useEffect(() => {
    if (isRunning && !wasRunning.current) results.current?.focus()
    wasRunning.current = isRunning
  }, [isRunning])
  return (
    <>
      <section aria-labelledby="try">
        <h2 id="try">Try several changes</h2>
        <RequestForm of={of} isRunning={isRunning} />
      </section>
      {trial === undefined ? null : (
        <section aria-labelledby="tried" ref={results} tabIndex={-1}>
          <div className="heading">
            <h2 id="tried">Candidates</h2>
            <p role="status" className="faint">{progressText(trial)}</p>
            {isRunning
              ? (
                <button type="button" disabled={isKeeping(trial)} onClick={() => cancelTrial(of.id)}>
                  End the try
                </button>
              )
              : null}
          </div>
          {isRunning ? <p className="faint">The try ends if you close the page.</p> : null}
          {trial.failure === undefined ? null : <Problem of={trial.failure} />}
          {trial.notices.map((notice, at) => (
            <div key={at} className="warning">
              <Text of={notice.message} />
              <Steps of={notice.next ?? []} />
            </div>
          ))}
          <Kept of={of} trial={trial} />
          {trial.bestReason === undefined || trial.best === undefined ? null : (
            <p>
              {"The best is "}
              <strong>
                <Text of={trial.best} />
              </strong>
              {": "}
              <Text of={trial.bestReason} />
            </p>
          )}
          {(trial.keepable ?? []).length === 0 ? null : (
            <p className="faint">
              You can keep a candidate for a day, until the next try or reset. The workspace gets its files in a new
              microVM, and loses what changed since the try began.
            </p>
          )}
          {failure === undefined ? null : <Problem of={failure} />}
          <TrialTable of={trial} keep={running === undefined ? keep : undefined} />
        </section>
      )}
    </>
  )
}
