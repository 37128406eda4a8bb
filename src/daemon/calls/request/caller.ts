import { Effect } from "effect"
import { forCaller } from "../../../contract/wire/caller-project.ts"
import { callerIdentity, identityOf } from "../../../contract/wire/identity.ts"
import { withMinted } from "../../../contract/wire/minted-ids.ts"
import { every, type Wrap } from "../wrap.ts"
import type { RequestCall } from "./request.ts"

/**
 * Does all later work as that of the caller whom the headers name: its identity, project, network ceiling, directories and MCP client, and the ids
 * that the client minted for new workspaces.
 *
 * Needs the headers. Outermost: every other line and the work may ask who calls.
 */
export const caller: Wrap<RequestCall> = {
  name: "caller",
  does: "reads from the headers who calls, for which tenant, and within which project, network and directories",
  because: "outermost: every other line may ask who calls",
  concerns: every,
  around: (_, call) => (payload, request) =>
    Effect.provideService(
      forCaller(request.headers)(withMinted(request.headers)(call(payload, request))),
      callerIdentity,
      identityOf(request.headers)
    )
}
