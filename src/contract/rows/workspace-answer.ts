import { Schema } from "effect"
import { boolean, integer, optional, string, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy, unary } from "./operation.ts"
import { loginFields } from "./ssh-agent-fields.ts"
import { at, withCommands } from "./states.ts"
import { exportKind } from "./workspace-export.ts"
import { workspaceField } from "./workspace-field.ts"

const waitingFields = lazy(() => ({
  request: string("Id of the request, for `answer`"),
  since: string("When it began to wait, in ISO 8601"),
  kind: exportKind(),
  output: string("Path on the host"),
  files: integer("Number of files. A patch is one"),
  changedFiles: optional(integer("Number of changed files in the diff. Absent for files")),
  bytes: integer("Size of all files in bytes"),
  digest: optional(
    string("SHA-256 of the diff as a patch, which `workspace diff --json` shows for the same changes. Absent for files")
  ),
  overwrite: optional(boolean("True if the export replaces files that exist. Absent for others")),
  client: optional(
    string(
      "Name and version of the MCP client that asks, in its own words. Absent if a person asks, or a client without a name"
    )
  )
}))

/** An export that waits for the user. Its content is complete, and nothing of it is at its place yet. */
export const WaitingExport = lazy(() => snakeStruct(waitingFields()))
export type WaitingExport = ReturnType<typeof WaitingExport>["Type"]

/** Subject of the question to the user. */
export type AskedExport = Omit<WaitingExport, "request" | "since" | "client">

const decisions = ["allow", "deny"] as const

export const AnswerPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    request: text("Id of the request, from `status`"),
    decision: Schema.Literals(decisions).annotate({
      description: "`allow` writes the export or signs the login, `deny` refuses it"
    })
  })
)
export type AnswerPayload = ReturnType<typeof AnswerPayload>["Type"]

/** A field of what was answered: an export, or a login with a lent SSH agent. */
const ofExport = <S extends Schema.Top>(field: S, description: string) =>
  optional(field.annotate({ description: `${description}. Absent for a login` }))
const ofLogin = <S extends Schema.Top>(field: S, description: string) =>
  optional(field.annotate({ description: `${description}. Absent for an export` }))

const AnswerResult = lazy(() => {
  const { bytes, changedFiles, digest, files, kind, output, request, since } = waitingFields()
  const { fingerprint, host, user } = loginFields()
  return snakeStruct({
    request,
    since,
    decision: Schema.Literals(decisions).annotate({ description: "The answer" }),
    kind: ofExport(kind, "Kind of the export"),
    output: ofExport(output, "Path on the host"),
    files: ofExport(files, "Number of files. A patch is one"),
    changedFiles,
    bytes: ofExport(bytes, "Size of all files in bytes"),
    digest,
    host: ofLogin(host, "Host that a program of the guest logs in to"),
    user: ofLogin(user, "User on that host. The guest chose the name"),
    fingerprint: ofLogin(fingerprint, "Fingerprint of your key, as OpenSSH shows it")
  })
})

export const workspaceAnswer = unary({
  name: "workspace.answer",
  summary: "Allow or deny an export or a login that waits for you",
  description:
    "An export with --ask, and each export of a model through `mcp serve --ask-export`, waits until you answer here or on the page of `pyro ui`. So does a login with an SSH agent " +
    "that was lent with --ssh-agent-ask, for 2 minutes. `status` and `list` show what waits. " +
    "The content is fixed before you are asked: pyro writes the bytes that it had then, whatever the workspace does meanwhile. The first answer counts.",
  cli: {
    path: ["workspace", "answer"],
    args: ["workspace", "request", "decision"],
    examples: ["pyro answer fix 3f9a1c allow", "pyro answer fix 3f9a1c deny"]
  },
  mcp: { missing: "the user answers" },
  states: at(withCommands.filter((state) => state !== "deleting")),
  on: "entry",
  errors: [],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: AnswerPayload,
  result: AnswerResult
})
