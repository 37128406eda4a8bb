import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { Text } from "../parts/text.tsx"
import { Question, Questions } from "../parts/waiting.tsx"

/** All logins of a workspace with the lent SSH agent that wait for the person. */
export const WaitingLogins = ({ of: { id, pendingLogins = [] } }: { readonly of: WorkspaceInfo }) => (
  <Questions subjects="Logins">
    {pendingLogins.map(({ fingerprint, host, request, user }) => (
      <Question key={request} request={request} subject="login" to={host} workspace={id}>
        {"A login with your SSH agent waits for you: as "}
        <code>
          <Text of={user} />
        </code>
        {" to "}
        <code>
          <Text of={host} />
        </code>
        {" with "}
        <code>
          <Text of={fingerprint} />
        </code>
        .
      </Question>
    ))}
  </Questions>
)
