import {
  type CallToolResult,
  CLIENT_INFO_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type Tool
} from "@modelcontextprotocol/server"
import { Cause, Deferred, Effect, Exit, Logger } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { modeOf } from "../contract/rows/modes.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { readableText } from "../contract/text/printable.ts"
import { grantsOf, type Project } from "../sdk/project.ts"
import { type CallResult, callTool } from "./call.ts"
import { clientNameOf, clientTextOf, getsOneHalf, listForOneHalf } from "./clients.ts"
import type { Fields } from "./handshake/request-shape.ts"
import { instructionsOf } from "./instructions.ts"
import { onePage } from "./one-page.ts"
import { makePending } from "./pending.ts"
import { addPresentResources, changesResources, type PresentWorkspaces } from "./present-resources.ts"
import { type ModeName, noTool, noToolResult, type ProfileName, profilesWith, type SelectionName } from "./profile.ts"
import { addPrompts, addResources } from "./resources.ts"
import { type BindRoot, boundProject } from "./roots.ts"
import { type ListedTool, selectedTools } from "./tool-table.ts"

export { bindProject, type Project, type ProjectOptions } from "../sdk/project.ts"
export type { CallResult } from "./call.ts"
export type { JsonSchema } from "./json-schema.ts"
export type { ListedTool } from "./tool-table.ts"

interface ToolsOptions {
  readonly profile: ProfileName
  /** Kind of task, which chooses the tools instead of the profile. */
  readonly mode?: ModeName | undefined
  /** Does the work. Each call asks for it, so that a client that only lists the tools starts nothing. */
  readonly pyro: Effect.Effect<PyroService, PyroError>
  /** The parts of the host that a model may name. */
  readonly project: Project
}

/** The tools of a profile without the protocol, for agents that call functions. */
export interface Tools {
  readonly list: ReadonlyArray<ListedTool>
  /** The answer of a tool for a model. Every failure is an answer, also an unknown tool. An interruption ends the work of the call. */
  readonly call: (name: string, args: Readonly<Record<string, unknown>>) => Effect.Effect<CallResult>
}

/** The tools that `createServer` serves, with the same names, arguments and answers. */
export const makeTools = ({ mode, profile, project, pyro }: ToolsOptions): Tools => {
  const selection = mode ?? profile
  const tools = selectedTools(selection, grantsOf(project))
  const pending = makePending()
  const byName = new Map(tools.map((tool) => [tool.listed.name, tool]))
  return {
    list: tools.map(({ listed }) => listed),
    call: (name, args) => {
      const tool = byName.get(name)
      return tool === undefined
        ? Effect.succeed(noToolResult(name, selection, byName.keys()))
        : callTool(tool, args, { pending, pyro, project, report: () => {} })
    }
  }
}

/** Interval of progress messages: a host gives up a call after a minute of silence. */
const EVERY_SECONDS = 10

type Notify = (progress: { readonly progress: number; readonly message: string }) => Promise<void>

/** Sends the last progress message of a call every 10 s while it runs. */
export const withProgress = <A, E>(
  notify: Notify | undefined,
  work: (report: (message: string) => void) => Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  let last = "running"
  const report = (message: string) => {
    last = message
  }
  if (notify === undefined) return work(report)
  const tick = (seconds: number): Effect.Effect<never> =>
    Effect.sleep(EVERY_SECONDS * 1_000).pipe(
      // Progress may be lost: the result has all of it.
      Effect.andThen(
        Effect.ignore(
          Effect.tryPromise(() => notify({ progress: seconds, message: readableText(`${last}, ${seconds} s`) }))
        )
      ),
      Effect.andThen(Effect.suspend(() => tick(seconds + EVERY_SECONDS)))
    )
  return Effect.raceFirst(work(report), tick(EVERY_SECONDS))
}

export interface ServerOptions extends ToolsOptions {
  /** Version of pyro. */
  readonly version: string
  /** Binds a directory that a client named as a root, if the project awaits one. @default none is bound */
  readonly bindRoot?: BindRoot | undefined
  /** Finds the workspaces for the list of resources. A client lists them at its start, so it must start nothing. @default the list is empty */
  readonly present?: PresentWorkspaces | undefined
  /** Gets each call of a tool. The promise settles when the call has ended all of its work. */
  readonly onCall?: ((call: Promise<unknown>) => void) | undefined
}

/** Logs to stderr: stdout may be the client's. A value of the call's fiber, because a Layer would be built for each call. */
const logToStderr = Effect.provideService(
  Logger.CurrentLoggers,
  new Set([Logger.withConsoleError(Logger.formatLogFmt)])
)

/** Runs until its end or the signal. After the signal, its result is dropped. */
const runCall = async <A>(effect: Effect.Effect<A>, signal: AbortSignal): Promise<A> => {
  const exit = await Effect.runPromiseExit(logToStderr(effect), { signal })
  if (Exit.isSuccess(exit)) return exit.value
  throw new ProtocolError(
    ProtocolErrorCode.InternalError,
    Cause.hasInterruptsOnly(exit.cause) ? "cancelled" : "internal error"
  )
}

/** Whether the reason of a cancellation says that the call took longer than the client's limit. */
const isTimeOut = (reason: unknown) => typeof reason === "string" && /time[ds]?[ -]?out/i.test(reason)

/** The cancellation of a call, and the moment of the client's time-out, which must not end the work. */
const withTimeOut = (signal: AbortSignal) => {
  const cancelled = new AbortController()
  const timedOut = Deferred.makeUnsafe<void>()
  const pass = () =>
    isTimeOut(signal.reason) ? Deferred.doneUnsafe(timedOut, Effect.void) : cancelled.abort(signal.reason)
  if (signal.aborted) pass()
  else signal.addEventListener("abort", pass, { once: true })
  return { signal: cancelled.signal, timedOut: Deferred.await(timedOut) }
}

/**
 * pyro as an MCP server for any transport. The tools are those of the profile or the mode, from the table of operations. The cancellation of
 * a call, or the end of the connection, ends the work that the call started.
 */
export const createServer = (
  { bindRoot, mode: modeName, onCall, present = Effect.succeed([]), profile, project, pyro, version }: ServerOptions
): Server => {
  const selection: SelectionName = modeName ?? profile
  const mode = modeOf(selection)
  const tools = selectedTools(selection, grantsOf(project))
  const byName = new Map(tools.map((tool) => [tool.listed.name, tool]))
  const listed = { tools: tools.map((tool) => tool.listed as unknown as Tool) }
  const instructions = instructionsOf(selection, project)
  const listedForOneHalf = { tools: listForOneHalf(listed.tools, instructions) }
  const server = new Server({ name: "pyro", title: "pyro workspaces", version }, {
    capabilities: {
      tools: {},
      ...(selection === "vm-run" ? {} : { resources: { listChanged: true } }),
      ...(mode === undefined ? {} : { prompts: {} })
    },
    instructions
  })
  /** The client of a request. In the revision without `initialize`, each request names its client. */
  const infoOf = (envelope: object | undefined): unknown =>
    envelope === undefined ? server.getClientVersion() : (envelope as Fields)[CLIENT_INFO_META_KEY]
  /** Whether the client of a request gets one half of a result. */
  const isOneHalf = (envelope: object | undefined) => getsOneHalf(clientNameOf(infoOf(envelope)))
  /** Tells the client that a call may have made or deleted a workspace. A client that has left gets nothing. */
  const listChanged = ({ isError }: CallResult) =>
    isError === true ? Effect.void : Effect.ignore(Effect.tryPromise(() => server.sendResourceListChanged()))
  const pending = makePending()
  const bound = boundProject(server, project, bindRoot)
  server.setRequestHandler(
    "tools/list",
    (request, { mcpReq }) => onePage(isOneHalf(mcpReq.envelope) ? listedForOneHalf : listed)(request)
  )
  server.setRequestHandler("tools/call", (request, { mcpReq }) => {
    const { arguments: raw = {}, name } = request.params
    const tool = byName.get(name)
    if (tool === undefined) {
      // Codex shows its model a stack trace for an error of the protocol.
      if (profilesWith(name).length > 0) return noToolResult(name, selection, byName.keys())
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, noTool(name, selection, byName.keys()))
    }
    const progressToken = mcpReq._meta?.progressToken
    const notify = progressToken === undefined ?
      undefined :
      (params: { progress: number; message: string }) =>
        mcpReq.signal.aborted
          ? Promise.resolve()
          : mcpReq.notify({ method: "notifications/progress", params: { progressToken, ...params } })
    const { signal, timedOut = Effect.never } = tool.tool.outlivesTimeOut === true
      ? withTimeOut(mcpReq.signal)
      : { signal: mcpReq.signal }
    const client = clientTextOf(infoOf(mcpReq.envelope))
    const call = withProgress(
      notify,
      (report) =>
        Effect.flatMap(bound, (project) => callTool(tool, raw, { pending, pyro, project, report, timedOut, client }))
    )
    const asked = isOneHalf(mcpReq.envelope)
      ? Effect.map(call, ({ structuredContent: _, ...others }): CallResult => others)
      : call
    const answer = runCall(changesResources(tool.row) ? Effect.tap(asked, listChanged) : asked, signal)
    onCall?.(answer)
    return answer as unknown as Promise<CallToolResult>
  })
  if (selection !== "vm-run") {
    const clientOf = (envelope: object | undefined) => clientTextOf(infoOf(envelope))
    addResources(server, pyro, bound, new Set(byName.keys()), runCall, clientOf)
    addPresentResources(server, present, bound, runCall)
  }
  if (mode !== undefined) addPrompts(server, mode)
  return server
}
