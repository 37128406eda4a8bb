import { Effect, Result, Schema } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import {
  connectionsText,
  droppedLines,
  hasConnections,
  policyText,
  remedyText,
  subjectText,
  targetText
} from "../../contract/rows/network-text.ts"
import type { Told } from "../../contract/rows/notice.ts"
import { lazy } from "../../contract/rows/operation.ts"
import { servicesText } from "../../contract/rows/resident-text.ts"
import { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import type { NetworkRecord } from "../../contract/rows/workspace-network.ts"
import type { SnapshotInfo } from "../../contract/rows/workspace-snapshot.ts"
import { count } from "../../contract/text/count.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import type { Project } from "../../sdk/project.ts"
import type { Fields, Given } from "../arguments.ts"
import type { Tool } from "../request.ts"
import { bytes, lines } from "../words.ts"
import { moreText, pageOf, pageStart } from "./paging.ts"

const entryText = (one: NetworkRecord): string =>
  [
    one.at,
    `${one.outcome}${one.once === true ? " once" : ""}`,
    subjectText(one),
    ...(one.address === undefined ? [] : [`${bytes(one.bytesOut)} sent, ${bytes(one.bytesIn)} received`]),
    ...(one.reason === undefined ? [] : [one.reason]),
    ...(one.remedy === undefined ? [] : [remedyText(one.remedy, (field) => field)])
  ].join("  ")

export const networkSetTool: Tool<"workspace.network.set"> = {
  text: (changed) => {
    const { resetCount, workspace: { id, network } } = changed
    return lines(
      `workspace ${id}: network ${network === undefined ? "off" : policyText(network)}`,
      ...droppedLines(changed),
      resetCount > 0 && `${resetCount} open connections reset`
    )
  }
}

export const networkLogTool: Tool<"workspace.network.log"> = {
  text: ({ entries, nextCursor, open }) =>
    lines(
      entries.length + open.length === 0 && "no entries",
      ...entries.map(entryText),
      ...open.map((one) => `${one.at}  open  ${targetText(one)}`),
      `[go on with cursor ${nextCursor}]`
    )
}

/** The network of a workspace in one line. */
const networkLine = (network: Parameters<typeof policyText>[0] & Parameters<typeof hasConnections>[0]) =>
  `network: ${policyText(network)}${hasConnections(network) ? `; ${connectionsText(network)}` : ""}`

const labelsText = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(" ")

const originOf = (one: WorkspaceInfo) => one.repoUrl ?? one.seedPath ?? "nothing"

/** A workspace in one line: id, name, state, environment and labels. */
const workspaceLine = (one: WorkspaceInfo): string =>
  [
    one.id,
    ...(one.name === undefined ? [] : [`"${one.name}"`]),
    one.state,
    one.environment,
    labelsText(one.labels)
  ].filter((word) => word !== "").join(" ")

const details = ({ ports = [], running = [], services = {}, shells = 0, ...one }: WorkspaceInfo): string =>
  lines(
    one.detail,
    `/workspace started from ${originOf(one)}`,
    one.runningCommands > 0 && `${count(one.runningCommands, "command")} running`,
    ...running.map(({ command, execId }) => `  exec_id ${execId}: ${command}`),
    shells > 0 && `${count(shells, "shell")} open`,
    Object.keys(services).length > 0 && `services: ${servicesText(services)}`,
    one.network !== undefined && networkLine(one.network),
    ...ports.map(portLine),
    one.expiresAt !== undefined && `expires ${one.expiresAt}`
  )

const portLine = ({ guestPort, hostPort, service }: NonNullable<WorkspaceInfo["ports"]>[number]): string =>
  `guest port ${guestPort}${service === undefined ? "" : ` of ${service}`} is ${
    hostPort === undefined ? "not listened for" : `127.0.0.1:${hostPort} on the host`
  }`

const warned = (warnings: ReadonlyArray<Told>) => warnings.map(({ message }) => `warning: ${message}`)

/** The seed of a new workspace: the model's, else the server's project. */
const seeded = ({ fields, own }: Given, project: Project): Result.Result<Fields, InvalidRequest> => {
  const { seed_path: seed, ...others } = fields
  if (own["empty"] === true) {
    return seed === undefined
      ? Result.succeed(others)
      : Result.fail(new InvalidRequest({ field: "empty", detail: "cannot be combined with seed_path" }))
  }
  if (seed !== undefined) return Result.succeed(fields)
  if (project.repoUrl !== undefined) {
    return Result.succeed({
      ...fields,
      repo_url: project.repoUrl,
      ...(project.repoRef === undefined ? {} : { repo_ref: project.repoRef })
    })
  }
  return Result.succeed(project.path === undefined ? fields : { ...fields, seed_path: project.path })
}

export const createTool: Tool<"workspace.create"> = {
  continues: () => "The first use of an environment builds it, which takes minutes",
  fill: seeded,
  text: ({ warnings, workspace }) =>
    lines(
      `workspace ${workspace.id} is ready`,
      workspaceLine(workspace),
      details(workspace),
      ...warned(warnings)
    )
}

export const resetTool: Tool<"workspace.reset"> = {
  text: ({ warnings, workspace }) =>
    lines(`workspace ${workspace.id} is reset`, workspaceLine(workspace), ...warned(warnings))
}

export const statusTool: Tool<"workspace.status"> = {
  text: (one) => lines(workspaceLine(one), details(one), `created ${one.createdAt}`)
}

export const updateTool: Tool<"workspace.update"> = {
  text: (one) => lines(`updated ${workspaceLine(one)}`, details(one))
}

export const deleteTool: Tool<"workspace.delete"> = {
  text: ({ deleted }) => `deleted ${deleted.join(", ") || "nothing"}`
}

const Listed = lazy(() =>
  snakeStruct({
    workspaces: Schema.Array(WorkspaceInfo()),
    nextCursor: Schema.NullOr(Schema.String)
  })
)

export const listTool: Tool<"workspace.list", ReturnType<typeof Listed>["Type"]> = {
  result: Listed,
  perform: ({ own, payload, pyro }) =>
    Effect.gen(function*() {
      const start = yield* pageStart(own["cursor"])
      const { workspaces } = yield* pyro.workspace.list(payload)
      const { entries, nextCursor } = pageOf(workspaces, start)
      const text = lines(
        workspaces.length === 0
          ? "no workspaces; create one with workspace_create"
          : count(workspaces.length, "workspace"),
        ...entries.map(workspaceLine),
        moreText(nextCursor)
      )
      return { result: { workspaces: entries, nextCursor }, text }
    })
}

/** A snapshot in one line: name, content and time. */
const snapshotLine = ({ createdAt, durable, kind, memoryBytes, name, runningCommands }: SnapshotInfo): string =>
  [
    `${name}: ${kind === "memory" ? `memory (${bytes(memoryBytes)}) and disk` : "disk"} of ${createdAt}`,
    ...(runningCommands > 0 ? [`${count(runningCommands, "command")} running`] : []),
    ...(durable ? [] : ["not yet durable"])
  ].join(", ")

export const snapshotListTool: Tool<"workspace.snapshot.list"> = {
  text: ({ snapshots }) =>
    lines(
      snapshots.length === 0 ? "the workspace has no snapshots" : count(snapshots.length, "snapshot"),
      ...snapshots.map(snapshotLine)
    )
}
