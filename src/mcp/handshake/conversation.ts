import { noNetwork, readCeiling } from "../../contract/rows/network-ceiling.ts"
import type { ProjectDirectories } from "../../sdk/project-directories.ts"
import { clientNameOf, getsOneHalf, listForOneHalf } from "../clients.ts"
import { instructionsOf } from "../instructions.ts"
import type { Understood } from "./command-line.ts"
import type { Recorded, RecordedSelection } from "./recorded.ts"
import { CLIENT_INFO, type Fields, isInitialize, isLegacy, isModern, type Message, messageOf } from "./request-shape.ts"

/** The decision about a message: answer it, ignore it, leave it alone to the server, or leave it and all later ones to the server. */
export type Reply =
  | { readonly _tag: "Answer"; readonly id: string | number; readonly method: string; readonly line: string }
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Awaited" }
  | { readonly _tag: "Left" }

const NOTHING: Reply = { _tag: "Nothing" }
const LEFT: Reply = { _tag: "Left" }
const AWAITED: Reply = { _tag: "Awaited" }

/** Lists that the server makes at the request. Clients send them together with `tools/list`, which shall not wait for the server. */
const MADE_LISTS: ReadonlySet<string> = new Set(["resources/list"])

/**
 * The client's revision of the protocol. `probed`: after `server/discover` alone, a client may still send `initialize`, as in `serveStdio`
 * of the SDK.
 */
type Era = "open" | "probed" | "legacy" | "modern"

/** Answers the first messages of a client as the server of a project would. */
export const makeConversation = (
  { legacyVersions, modernVersion }: Pick<Recorded, "legacyVersions" | "modernVersion">,
  recorded: RecordedSelection,
  { options, selection }: Understood,
  { awaitsRoot, base: path, session }: Pick<ProjectDirectories, "awaitsRoot" | "base" | "session">
) => {
  const networkCeiling = readCeiling(options.networkCeiling ?? "off") ?? noNetwork
  const instructions = instructionsOf(selection, {
    path,
    session,
    awaitsRoot,
    repoUrl: options.repoUrl,
    repoRef: options.repoRef,
    environment: options.environment,
    workspaceUser: options.workspaceUser,
    networkCeiling
  })
  const networked = networkCeiling.networkPolicy === "off" ? undefined : recorded.networked
  const legacy = new Map(Object.entries({ ...recorded.legacy, ...networked?.legacy }))
  const modern = new Map(Object.entries({ ...recorded.modern, ...networked?.modern }))
  let era: Era = "open"
  /** Name of the client that sent `initialize`. */
  let client: string | undefined

  /** The recorded result as a client of this name gets it. */
  const adapted = (method: string, result: string, name: string | undefined): string => {
    if (method !== "tools/list" || !getsOneHalf(name)) return result
    const { tools, ...others } = JSON.parse(result) as { readonly tools: ReadonlyArray<Fields> }
    return JSON.stringify({ ...others, tools: listForOneHalf(tools, instructions) })
  }

  const answer = (id: string | number, method: string, result: string): Reply => ({
    _tag: "Answer",
    id,
    method,
    line: `{"result":${result},"jsonrpc":"2.0","id":${JSON.stringify(id)}}\n`
  })

  const request = (id: string | number, { method, params }: Message): Reply => {
    const isOpening = era === "open" || era === "probed"
    if (method === "initialize" && isOpening && isInitialize(params)) {
      era = "legacy"
      const { clientInfo, protocolVersion } = params
      client = clientNameOf(clientInfo)
      const spoken = legacyVersions.includes(protocolVersion) ? { protocolVersion } : {}
      return answer(id, method, JSON.stringify({ ...recorded.initialize, ...spoken, instructions }))
    }
    if (method === "server/discover" && isOpening && isModern(params, modernVersion)) {
      era = "probed"
      return answer(id, method, JSON.stringify({ ...recorded.discover, instructions }))
    }
    const isMade = MADE_LISTS.has(method)
    const known = era === "legacy"
      ? isLegacy(params) && (isMade || legacy.get(method))
      : isModern(params, modernVersion) && (isMade || modern.get(method))
    if (known === undefined || known === false) return LEFT
    if (isOpening) era = "modern"
    if (known === true) return AWAITED
    const meta = params?.["_meta"] as Fields | undefined
    return answer(id, method, adapted(method, known, era === "legacy" ? client : clientNameOf(meta?.[CLIENT_INFO])))
  }

  return (line: string): Reply => {
    const message = messageOf(line)
    if (message === undefined) return LEFT
    // The server gets it, too. Only a first message decides about the revision.
    if (message.id === undefined) return era === "legacy" || era === "modern" ? NOTHING : LEFT
    return request(message.id, message)
  }
}
