import type { WaitingLogin } from "../../../../src/contract/rows/ssh-agent-fields.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { useAction } from "../live/action.ts"
import { Problem } from "../parts/problem.tsx"
import { Text } from "../parts/text.tsx"
import { ask } from "../wire/calls.ts"

/** A login with the lent SSH agent that waits for the person, with the answers. */
const Login = ({ of, workspace }: { readonly of: WaitingLogin; readonly workspace: string }) => {
  const { failure, run, running } = useAction()
  const answer = (decision: "allow" | "deny") => () =>
    run(decision, async () => {
      await ask("workspace.answer", { workspace, request: of.request, decision })
      return decision === "allow" ? `The login to ${of.host} is allowed.` : `The login to ${of.host} is denied.`
    })
  const isBusy = running !== undefined
  return (
    <li>
      <p>
        {"A login with your SSH agent waits for you: as "}
        <code>
          <Text of={of.user} />
        </code>
        {" to "}
        <code>
          <Text of={of.host} />
        </code>
        {" with "}
        <code>
          <Text of={of.fingerprint} />
        </code>
        .
      </p>
      <div className="buttons">
        <button type="button" className="primary" disabled={isBusy} onClick={answer("allow")}>Allow the login</button>
        <button type="button" disabled={isBusy} onClick={answer("deny")}>Deny the login</button>
      </div>
      {failure === undefined ? null : <Problem of={failure} />}
    </li>
  )
}

/** All logins of a workspace that wait for the person. */
export const WaitingLogins = ({ of: { id, pendingLogins = [] } }: { readonly of: WorkspaceInfo }) =>
  pendingLogins.length === 0 ? null : (
    <ul className="export waiting" aria-label="Logins that wait for you">
      {pendingLogins.map((one) => <Login key={one.request} of={one} workspace={id} />)}
    </ul>
  )
