import type { ReactNode } from "react"
import { useAction } from "../live/action.ts"
import { ask } from "../wire/calls.ts"
import { Problem } from "./problem.tsx"

/** A request of a workspace that waits for the person, with the answers. */
export const Question = ({ children, onAllowed, request, subject, to, workspace }: {
  /** Says what is asked. */
  readonly children: ReactNode
  readonly onAllowed?: () => void
  readonly request: string
  /** The noun of what is asked, such as `export`. */
  readonly subject: string
  /** Where it leads to. */
  readonly to: string
  readonly workspace: string
}) => {
  const { failure, run, running } = useAction()
  const answer = (decision: "allow" | "deny") => async () => {
    const done = await run(decision, async () => {
      await ask("workspace.answer", { workspace, request, decision })
      return `The ${subject} to ${to} is ${decision === "allow" ? "allowed" : "denied"}.`
    })
    if (done && decision === "allow") onAllowed?.()
  }
  const isBusy = running !== undefined
  return (
    <li>
      <p>{children}</p>
      <div className="buttons">
        <button type="button" className="primary" disabled={isBusy} onClick={answer("allow")}>
          {`Allow the ${subject}`}
        </button>
        <button type="button" disabled={isBusy} onClick={answer("deny")}>{`Deny the ${subject}`}</button>
      </div>
      {failure === undefined ? null : <Problem of={failure} />}
    </li>
  )
}

/** All requests of one kind that wait for the person. `subjects` is their noun. */
export const Questions = ({ children, subjects }: {
  readonly children: ReadonlyArray<ReactNode>
  readonly subjects: string
}) => {
  const title = `${subjects} that wait for you`
  return children.length === 0 ? null : <ul className="card waiting" aria-label={title}>{children}</ul>
}
