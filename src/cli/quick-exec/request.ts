import { type Value, write, Written } from "./msgpack.ts"

/** Fields of a request for a command beside the workspace, the command and its id, in MessagePack and base64. */
export type RecordedFields = ReadonlyArray<readonly [name: string, value: string]>

/** The names of the requests, as `event-rpcs.ts` makes them. */
export const FIRST = "first.workspace.exec"
export const REST = "rest.workspace.exec"

export interface Command {
  readonly workspace: string
  readonly command: ReadonlyArray<string>
}

/** A name or an id without anything that a shell or an option could mean. */
const NAME = /^[A-Za-z0-9][\w.-]{0,62}$/

/** A command line of the simplest forms, `workspace exec NAME [--] PROGRAM ARGS`; other forms are the parser's. */
export const commandOf = (argv: ReadonlyArray<string>): Command | undefined => {
  const [group, verb, workspace = "", ...words] = argv
  if (group !== "workspace" || verb !== "exec" || !NAME.test(workspace)) return undefined
  const [first, ...others] = words
  // An option stands before the command's first word.
  const command = first === "--" ? others : first?.startsWith("-") === true ? [] : words
  return command.length > 0 ? { workspace, command } : undefined
}

const request = (id: string, tag: string, payload: Value) => write({ _tag: "Request", id, tag, payload, headers: [] })

export const firstRequest = (
  { command, workspace }: Command,
  { execId, requestId }: { readonly execId: string; readonly requestId: string },
  recorded: RecordedFields
) => {
  const others = recorded.map(([name, value]) => [name, new Written(Buffer.from(value, "base64"))] as const)
  const fields = new Map<string, Value>([
    ["workspace", workspace],
    ["command", command],
    ...others,
    ["execId", execId]
  ])
  return request("0", FIRST, { id: requestId, request: fields })
}

export const restRequest = (requestId: string) => request("1", REST, { id: requestId })

export const ack = () => write({ _tag: "Ack", requestId: "1" })
