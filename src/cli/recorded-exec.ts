import { Schema } from "effect"
import { Packr } from "msgpackr"
import { ExecPayload } from "../contract/rows/workspace-exec.ts"
import "../contract/wire/serialization.ts"
import type { RecordedFields } from "./quick-exec/request.ts"

/** Fields of a plain `pyro exec` request, without workspace and command, as sent to the daemon. */
export const recordedExec = (): RecordedFields => {
  const packr = new Packr({ useRecords: false })
  const { command: _command, workspace: _workspace, ...others } = Schema.decodeUnknownSync(ExecPayload())({
    workspace: "name",
    command: ["true"]
  })
  // Output that is shown as it comes is not kept.
  return Object.entries({ ...others, maxBytes: 0 }).map(([name, value]) => [name, packr.pack(value).toString("base64")])
}
