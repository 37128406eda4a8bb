import { ProtocolError, ProtocolErrorCode, type Server } from "@modelcontextprotocol/server"
import { Effect } from "effect"
import { type PyroError } from "../contract/errors/errors.ts"
import type { Mode } from "../contract/rows/modes.ts"
import { payloadOf } from "../contract/rows/payload-of.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { count } from "../contract/text/count.ts"
import { readableText } from "../contract/text/printable.ts"
import { callerProject } from "../contract/wire/caller-project.ts"
import { callerOf, type Project } from "../sdk/project.ts"
import { onePage } from "./one-page.ts"
import { textAsSeen } from "./terminal.ts"
import { withoutBinaries } from "./tools/diff.ts"
import { bytes, repeated } from "./words.ts"

/** Kinds of resources, for people who put one into a conversation. A tool gives each of them, too. */
const resourceTemplates = [
  {
    uriTemplate: "pyro://workspaces/{workspace_id}/diff",
    name: "Diff of a workspace",
    description: "Changes since create, as a git patch without binary contents",
    mimeType: "text/x-diff"
  },
  {
    uriTemplate: "pyro://workspaces/{workspace_id}/logs/{exec_id}",
    name: "Output of a command",
    description: "stdout and stderr in the order of arrival",
    mimeType: "text/plain"
  },
  {
    uriTemplate: "pyro://workspaces/{workspace_id}/files/{+path}",
    name: "File of a workspace",
    description: "A text file beneath /workspace",
    mimeType: "text/plain"
  }
]

/** Most bytes of a resource. */
const MAX_BYTES = 1_048_576

/** Longest name or id of a workspace. */
const MAX_WORKSPACE_CHARACTERS = 200

/** Maximum characters of a URI that an error repeats. */
const MAX_URI_CHARACTERS = 1_000

const RESOURCE = /^pyro:\/\/workspaces\/([^/]+)\/(?:(diff)|logs\/([0-9a-f]{32})|files\/(.+))$/

const decoded = (text: string) => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** A shortened text with a note. */
const cut = (text: string, note: string) => `${text}${text.endsWith("\n") ? "" : "\n"}[${note}]\n`

/** Reads the resource of a URI; undefined for an unknown URI. `hasTool`: whether the server has a tool. */
const reading = (
  uri: string,
  hasTool: (name: string) => boolean
): ((pyro: PyroService) => Effect.Effect<string, PyroError>) | undefined => {
  const [, id, diff, execId, file] = RESOURCE.exec(uri) ?? []
  const workspace = id === undefined ? undefined : decoded(id)
  // Half of a character would name another file.
  if (workspace === undefined || workspace.length > MAX_WORKSPACE_CHARACTERS || !uri.isWellFormed()) return undefined
  const maxBytes = MAX_BYTES
  if (diff !== undefined) {
    const payload = payloadOf("workspace.diff", { workspace, maxBytes })
    return (pyro) =>
      Effect.map(
        pyro.workspace.diff(payload),
        ({ patch = "", patchBytes = 0, truncated }) =>
          truncated === true
            ? cut(
              withoutBinaries(patch),
              `the beginning of ${bytes(patchBytes)}; ${
                hasTool("workspace_export") ? "workspace_export" : "an export by the user"
              } writes the whole patch`
            )
            : withoutBinaries(patch)
      )
  }
  if (execId !== undefined) {
    const payload = payloadOf("workspace.logs", { workspace, execId, maxBytes })
    return (pyro) =>
      Effect.map(
        pyro.workspace.logs(payload),
        ({ nextCursor, output: printed = "" }) => {
          const output = textAsSeen(printed)
          return nextCursor === undefined
            ? output
            : cut(output, `there may be more${hasTool("workspace_logs") ? "; read it with workspace_logs" : ""}`)
        }
      )
  }
  const path = decoded(file ?? "")
  if (path === undefined || path === "" || path.includes("\0")) return undefined
  const payload = payloadOf("workspace.file.read", { workspace, path, maxBytes })
  return (pyro) =>
    Effect.map(
      pyro.workspace.file.read(payload),
      ({ path, sizeBytes, text, truncated }) =>
        text === undefined
          ? `${path} is binary, ${count(sizeBytes, "byte")}`
          : truncated
          ? cut(text, `the beginning of ${bytes(sizeBytes)}`)
          : text
    )
}

/** Diffs, logs and files of workspaces by URI. Their texts name the tools of `there`, and commands of the user for all others. */
export const addResources = (
  server: Server,
  pyro: Effect.Effect<PyroService, PyroError>,
  bound: Effect.Effect<Project>,
  there: ReadonlySet<string>,
  run: <A>(effect: Effect.Effect<A>, signal: AbortSignal) => Promise<A>,
  clientOf: (envelope: object | undefined) => string | undefined
): void => {
  server.setRequestHandler("resources/templates/list", onePage({ resourceTemplates }))
  server.setRequestHandler("resources/read", async ({ params: { uri } }, { mcpReq }) => {
    const read = reading(uri, (name) => there.has(name))
    const found = read === undefined
      ? `no resource ${repeated(uri)}`
      : await run(
        Effect.flatMap(
          bound,
          (project) =>
            Effect.provideService(
              Effect.flatMap(pyro, read),
              callerProject,
              callerOf(project, clientOf(mcpReq.envelope))
            )
        ).pipe(
          Effect.map((text) => ({ text: readableText(text) })),
          Effect.catch((error) => Effect.succeed(readableText(`${error.code}: ${error.fact}`)))
        ),
        mcpReq.signal
      )
    if (typeof found === "string") {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, found, { uri: repeated(uri, MAX_URI_CHARACTERS) })
    }
    return { contents: [{ uri, mimeType: uri.endsWith("/diff") ? "text/x-diff" : "text/plain", text: found.text }] }
  })
}

const refuse = (message: string) => new ProtocolError(ProtocolErrorCode.InvalidParams, message)

/** Offers the prompt of a mode. Hosts show a prompt to people as a command of its name. */
export const addPrompts = (server: Server, { name, prompt: { argument, description, text } }: Mode): void => {
  const list = { prompts: [{ name, description, arguments: [{ ...argument, required: false }] }] }
  server.setRequestHandler("prompts/list", onePage(list))
  server.setRequestHandler("prompts/get", ({ params }) => {
    if (params.name !== name) throw refuse(`there is no prompt ${repeated(params.name)}; this server has ${name}`)
    // Hosts send an empty text for an argument that a person left empty.
    const given = Object.entries(params.arguments ?? {}).filter(([, typed]) => typed.trim() !== "")
    const unknown = given.find(([key]) => key !== argument.name)
    if (unknown !== undefined) {
      throw refuse(`${repeated(unknown[0])} is no argument of ${name}; it has ${argument.name}`)
    }
    const content = { type: "text" as const, text: readableText(text(given[0]?.[1])) }
    return { description, messages: [{ role: "user" as const, content }] }
  })
}
