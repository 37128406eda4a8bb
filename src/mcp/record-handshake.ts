import { type JSONRPCMessage, SUPPORTED_PROTOCOL_VERSIONS, type Transport } from "@modelcontextprotocol/server"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import { Result } from "effect"
import { ChannelFailed, InvalidRequest } from "../contract/errors/errors.ts"
import { modeNames } from "../contract/rows/modes.ts"
import { named } from "../contract/text/names.ts"
import type { Project } from "../sdk/project.ts"
import type { Recorded, RecordedSelection } from "./handshake/recorded.ts"
import { PROTOCOL_VERSION } from "./handshake/request-shape.ts"
import { type ProfileName, type SelectionName, selectionNames } from "./profile.ts"
import { createServer } from "./server.ts"

/**
 * Requests without arguments, whose results are the same each time. A method that a server lacks is left out. The list of resources is that
 * of the present workspaces.
 */
const METHODS = ["tools/list", "resources/templates/list", "prompts/list", "ping"]

/** Methods whose results depend on the network that a server may grant. */
const NETWORKED_METHODS = ["tools/list"]

const UNKNOWN = "unknown"
const clientInfo = { name: "record", version: "1" }

type Answer = { readonly result?: Readonly<Record<string, unknown>>; readonly error?: { readonly data?: unknown } }

const refused = (field: string) => Result.fail(new InvalidRequest({ field, detail: "" }))
const noProject: Project = {
  path: undefined,
  repoUrl: undefined,
  repoRef: undefined,
  source: refused,
  destination: refused
}

const networkedProject: Project = { ...noProject, networkCeiling: { networkPolicy: "egress", allowHosts: [] } }

const chosen = (selection: SelectionName) => {
  const mode = modeNames.find((one) => one === selection)
  return mode === undefined ? { profile: selection as ProfileName } : { profile: "workspace-core" as const, mode }
}

/** Starts a server. Gives a function that sends it a request. */
const connect = (selection: SelectionName, version: string, project = noProject) => {
  const waiting = new Map<number, (answer: Answer) => void>()
  const transport: Transport = {
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
    send: (message) => {
      if ("id" in message) waiting.get(Number(message.id))?.(message as Answer)
      return Promise.resolve()
    }
  }
  const pyro = new ChannelFailed({ detail: "a server that is recorded does nothing" })
  serveStdio(() => createServer({ ...chosen(selection), version, pyro, project }), { transport })
  let id = 0
  return (method: string, params: object): Promise<Answer> =>
    new Promise((resolve) => {
      waiting.set(++id, resolve)
      transport.onmessage?.({ jsonrpc: "2.0", id, method, params } as JSONRPCMessage)
    })
}

const initialize = async (selection: SelectionName, version: string, protocolVersion: string, project?: Project) => {
  const ask = connect(selection, version, project)
  const { result } = await ask("initialize", { protocolVersion, capabilities: {}, clientInfo })
  return { ask, result: result as RecordedSelection["initialize"] }
}

const modernParams = (version: string) => ({
  _meta: {
    [PROTOCOL_VERSION]: version,
    "io.modelcontextprotocol/clientInfo": clientInfo,
    "io.modelcontextprotocol/clientCapabilities": {}
  }
})

const discover = async (selection: SelectionName, version: string, revision: string, project?: Project) => {
  const ask = connect(selection, version, project)
  return { ask, answer: await ask("server/discover", modernParams(revision)) }
}

const results = async (ask: ReturnType<typeof connect>, params: object, methods = METHODS) => {
  const found: Array<readonly [string, string]> = []
  for (const method of methods) {
    const { result } = await ask(method, params)
    if (result !== undefined) found.push([method, JSON.stringify(result)])
  }
  return named(found)
}

const recordSelection = async (
  selection: SelectionName,
  version: string,
  modernVersion: string
): Promise<RecordedSelection> => {
  const old = await initialize(selection, version, UNKNOWN)
  const { answer, ask } = await discover(selection, version, modernVersion)
  const oldNetworked = await initialize(selection, version, UNKNOWN, networkedProject)
  const networked = await discover(selection, version, modernVersion, networkedProject)
  return {
    initialize: old.result,
    discover: answer.result!,
    legacy: await results(old.ask, {}),
    modern: await results(ask, modernParams(modernVersion)),
    networked: {
      legacy: await results(oldNetworked.ask, {}, NETWORKED_METHODS),
      modern: await results(networked.ask, modernParams(modernVersion), NETWORKED_METHODS)
    }
  }
}

/** Records the answers of each profile's and each mode's server that `handshake/` gives in its place. */
export const recordHandshake = async (version: string): Promise<Omit<Recorded, "flags">> => {
  const { answer } = await discover("vm-run", version, UNKNOWN)
  const [modernVersion = ""] = (answer.error?.data as { readonly supported: ReadonlyArray<string> }).supported
  const legacyVersions: Array<string> = []
  for (const one of SUPPORTED_PROTOCOL_VERSIONS) {
    const { result } = await initialize("vm-run", version, one)
    if (result.protocolVersion === one) legacyVersions.push(one)
  }
  const recorded = await Promise.all(
    selectionNames.map(async (one) => [one, await recordSelection(one, version, modernVersion)] as const)
  )
  return {
    legacyVersions,
    modernVersion,
    selections: named(recorded) as Recorded["selections"]
  }
}
