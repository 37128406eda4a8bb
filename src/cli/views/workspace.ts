import { Clock, Effect } from "effect"
import { connectionsText, hasConnections, policyText } from "../../contract/rows/network-text.ts"
import { servicesText } from "../../contract/rows/resident-text.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { nameLine, oneLine } from "../../contract/text/one-line.ts"
import { typed } from "../../contract/text/printable.ts"
import { ago, duration, note, OutputOptions, print, size } from "../output/print.ts"
import { type Colour, painted, printTable } from "../output/table.ts"
import { portsText } from "./network.ts"
import type { Views } from "./view.ts"

const labels = (one: Pick<WorkspaceInfo, "labels">) =>
  typed(Object.entries(one.labels).map(([key, value]) => `${key}=${value}`))

const nameOf = (one: WorkspaceInfo) => one.name ?? one.id

const STATE_COLOURS: Partial<Record<WorkspaceInfo["state"], Colour>> = {
  running: "green",
  stopped: "dim",
  failed: "red"
}

/** Maximum columns of a reason in a row. */
const REASON_COLUMNS = 200

const stateOf = ({ state }: WorkspaceInfo) => painted(STATE_COLOURS[state] ?? "yellow", state)

const none = (asked: Pick<WorkspaceInfo, "labels">) =>
  labels(asked) === ""
    ? note("no workspaces; create one: pyro create\n")
    : note(`no workspace has these labels: ${labels(asked)}\n`)

/** The first line of the reason for its state, such as a full disk of the host. */
const reasonOf = ({ detail }: WorkspaceInfo) => detail?.trim().split(/\r?\n/)[0] ?? ""

const agentText = ({ ask, detail, hosts, socket }: NonNullable<WorkspaceInfo["sshAgent"]>) =>
  `lent for ${hosts.join(", ")}${ask ? ", asks first" : ""}${socket === undefined ? ", while a command lends it" : ""}${
    detail === undefined ? "" : `: ${detail}`
  }`

/** Note of a list about a workspace, beside its columns: the reason for its state, or a lent agent. */
const remarkOf = (one: WorkspaceInfo) =>
  reasonOf(one) || (one.sshAgent === undefined ? "" : `SSH agent ${agentText(one.sshAgent)}`)

const pausedText = ({ pausedBytes }: WorkspaceInfo) =>
  pausedBytes === undefined ? "" : `, and ${size(pausedBytes)} of paused memory`

/** The policy is unknown while the workspace is created. */
const networkOf = ({ network }: WorkspaceInfo) => network === undefined ? "-" : policyText(network)

const list = (all: ReadonlyArray<WorkspaceInfo>) => {
  const hasRemark = all.some((one) => remarkOf(one) !== "")
  return Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
    printTable([
      ["ID", "NAME", "STATE", "ENVIRONMENT", "NETWORK", "LAST USED", "LABELS", ...(hasRemark ? ["DETAIL"] : [])],
      ...all.map((one) => [
        one.id,
        one.name ?? "-",
        stateOf(one),
        one.environment,
        networkOf(one),
        ago(one.lastActivityAt, nowMs),
        labels(one),
        ...(hasRemark ? [{ text: remarkOf(one), maxColumns: REASON_COLUMNS }] : [])
      ])
    ], { head: true, flexible: [1, 3, 4, 6, 7] }))
}

const detail = (one: WorkspaceInfo) => {
  const { ports = [], secretCommands = [], secretHttp = [], secrets = [], services = {}, shells = 0 } = one
  const [reason = "", ...below] = one.detail?.replaceAll("\r\n", "\n").trimEnd().split("\n") ?? []
  return Effect.andThen(
    printTable([
      ["id", one.id],
      ["name", one.name ?? "-"],
      ["state", {
        ...stateOf(one),
        text: reason === "" ? one.state : `${one.state}: ${reason}`,
        maxColumns: REASON_COLUMNS
      }],
      ...(one.state === "failed" ? [["next", `pyro start ${one.name ?? one.id}`]] : []),
      ["environment", one.environment],
      ...(one.workspaceUser === undefined ? [] : [["user", `${one.workspaceUser}, who owns /workspace`]]),
      ...(one.cwd === undefined ? [] : [["directory", `${one.cwd}, of its commands`]]),
      ...Object.entries(one.env ?? {}).map(([name, value], at) => [at === 0 ? "variables" : "", `${name}=${value}`]),
      ["size", `${one.vcpuCount} vCPU, ${one.memoryMib} MiB memory, ${one.diskMib} MiB disk`],
      ...(one.diskUsedBytes === undefined
        ? []
        : [["disk use", `${size(one.diskUsedBytes)} on this host${pausedText(one)}`]]),
      ["commands", `${one.runningCommands} ${one.state === "paused" ? "standing still" : "running"}`],
      ...(shells === 0 ? [] : [["shells", `${shells} open`]]),
      ...(one.sshConnections === undefined ? [] : [["ssh", `${one.sshConnections} open`]]),
      ...(one.sshAgent === undefined
        ? []
        : [["ssh agent", agentText(one.sshAgent)]]),
      ...(one.pendingLogins ?? []).map(({ fingerprint, host, request, user }) => [
        "waits for you",
        `a login as ${nameLine(user)} to ${nameLine(host)} with ${nameLine(fingerprint)}: pyro answer ${
          one.name ?? one.id
        } ${request} allow`
      ]),
      ...(one.pendingExports ?? []).map(({ client, output, overwrite, request }) => [
        "waits for you",
        `an export${client === undefined ? "" : ` of ${nameLine(client)}`} to ${oneLine(output)}${
          overwrite === true ? ", which replaces what exists" : ""
        }: pyro answer ${one.name ?? one.id} ${request} allow`
      ]),
      ...(Object.keys(services).length === 0 ? [] : [["services", servicesText(services)]]),
      ["network", networkOf(one)],
      ...(one.network === undefined || !hasConnections(one.network)
        ? []
        : [["connections", connectionsText(one.network)]]),
      ...(ports.length === 0 ? [] : [["ports", portsText(ports)]]),
      ["created", one.createdAt],
      ["last used", one.lastActivityAt],
      ["expires", one.expiresAt ?? "never"],
      ...(one.pauseAfterSeconds === undefined
        ? []
        : [["pauses", `after ${one.pauseAfterSeconds} s without a use`]]),
      ...(one.forkedFrom === undefined ? [] : [["fork of", one.forkedFrom]]),
      ["seeded from", one.repoUrl ?? one.seedPath ?? "nothing"],
      ...(one.project === undefined ? [] : [["project", one.project]]),
      ["labels", labels(one) || "-"],
      ...(secrets.length === 0 ? [] : [["secrets", secrets.join(" ")]]),
      ...(secretHttp.length === 0 ? [] : [["secret hosts", secretHttp.join(" ")]]),
      ...(secretHttp.length === 0 || secretCommands.length === 0
        ? []
        : [["for commands", secretCommands.join(" ")]])
    ]),
    // The guest wrote these lines: the indentation keeps them apart from rows.
    print(below.map((line) => `  ${line}\n`).join(""))
  )
}

/** A command to begin with. An image of others may have no `ls`. */
const firstCommand = ({ environment }: WorkspaceInfo) => environment.startsWith("debian:") ? "ls" : "COMMAND"

/** Prints a note unless a switch of the command is given. */
const unless = (name: string, text: string) =>
  Effect.flatMap(OutputOptions, ({ switches }) => switches.has(name) ? Effect.void : note(text))

/** The given name or id of a workspace, else its name. */
const givenFor = (one: { readonly id: string; readonly name: string }, asked: ReadonlyArray<string>) =>
  asked.find((word) => word === one.name) ?? asked.find((word) => one.id.startsWith(word)) ?? one.name

/** The grants that a new microVM gets again. */
const restored = ({ network, secretHttp = [] }: WorkspaceInfo) =>
  [
    ...(network === undefined || network.networkPolicy === "off" ? [] : [`network: ${policyText(network)}`]),
    ...(secretHttp.length === 0 ? [] : [`secrets of hosts: ${secretHttp.join(", ")}`])
  ].map((line) => `  ${line}\n`).join("")

export const workspaceViews = {
  "workspace.create": {
    result: ({ workspace }) =>
      Effect.andThen(
        print(`${workspace.id}\n`),
        unless(
          "id-only",
          `${nameOf(workspace)} is ready. Use it: pyro exec ${nameOf(workspace)} ${firstCommand(workspace)}\n`
        )
      )
  },
  "workspace.list": {
    result: ({ workspaces }, asked) =>
      Effect.flatMap(OutputOptions, ({ switches }) =>
        switches.has("id-only")
          ? print(workspaces.map(({ id }) => `${id}\n`).join(""))
          : workspaces.length === 0
          ? none(asked)
          : list(workspaces))
  },
  "workspace.status": { result: detail },
  "workspace.rename": {
    result: ({ id, name = id }, { workspace }) => print(`${workspace} is now ${name}\n`)
  },
  "workspace.update": { result: detail },
  "workspace.stop": {
    result: ({ changed, workspace }) =>
      note(`${nameOf(workspace)} is stopped${changed ? "; its disk is kept" : " already"}\n`)
  },
  "workspace.start": {
    result: ({ changed, workspace }) =>
      note(
        changed
          ? `${nameOf(workspace)} is running\n${restored(workspace)}`
          : `${nameOf(workspace)} is running already\n`
      )
  },
  "workspace.pause": {
    result: ({ changed, workspace }) =>
      note(`${nameOf(workspace)} is paused${changed ? "; its next use resumes it" : " already"}\n`)
  },
  "workspace.resume": {
    result: ({ changed, workspace }) => note(`${nameOf(workspace)} ${changed ? "goes on" : "is running already"}\n`)
  },
  "workspace.reset": {
    result: ({ workspace }) => note(`${nameOf(workspace)} is reset\n${restored(workspace)}`)
  },
  "workspace.snapshot.create": {
    result: ({ snapshot: { kind, name, pauseMs } }) =>
      print(
        kind === "memory"
          ? `${name}: memory and disk; the workspace was paused for ${duration(pauseMs ?? 0)}\n`
          : `${name}: files only, because the workspace does not run\n`
      )
  },
  "workspace.snapshot.list": {
    result: ({ snapshots }, { workspace }) =>
      snapshots.length === 0
        ? note(`no snapshots of ${workspace}; create one: pyro snapshot create ${workspace} NAME\n`)
        : Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
          printTable([
            ["NAME", "HOLDS", "TAKEN", "MEMORY", "COMMANDS", "DURABLE"],
            ...snapshots.map((one) => [
              one.name,
              (one.kind === "memory" ? "memory and disk" : "disk") + (one.holdsSecrets ? ", secrets" : ""),
              ago(one.createdAt, nowMs),
              one.kind === "memory" ? size(one.memoryBytes) : "-",
              String(one.runningCommands),
              one.durable ? "yes" : painted("yellow", "not yet")
            ])
          ], { head: true, flexible: [0] }))
  },
  "workspace.snapshot.delete": {
    result: ({ deleted }) => print(`deleted ${deleted}\n`)
  },
  "workspace.fork": {
    result: ({ workspaces }) =>
      Effect.andThen(
        print(workspaces.map(({ id }) => `${id}\n`).join("")),
        unless(
          "id-only",
          `${workspaces.map(nameOf).join(", ")}: ready\n`
        )
      )
  },
  "workspace.delete": {
    result: ({ deleted, names }, { ifExists = false, workspaces }) =>
      deleted.length === 0 && ifExists
        ? note(`nothing to delete: no workspace ${workspaces.join(", ")}\n`)
        : print(deleted.map((id, at) => `deleted ${givenFor({ id, name: names[at] ?? id }, workspaces)}\n`).join(""))
  },
  "workspace.summary": { result: ({ text }) => print(`${text}\n`) }
} satisfies Views
