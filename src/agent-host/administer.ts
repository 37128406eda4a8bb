import { Effect, Option } from "effect"
import { HostEntryDiffers, type HostFileUnusable, InvalidRequest } from "../contract/errors/errors.ts"
import { processEnvironment } from "../system/settings/config.ts"
import { entryOf, meantServer, selectionOf, toolsOf } from "./connect/found-entry.ts"
import { type ChangedFile, described, type FileChange, type RecordChange, settle, write } from "./connect/host-files.ts"
import { approvalsOf, entryPath, plan, type Request } from "./connect/plan.ts"
import type { DoctorOptions } from "./doctor/server.ts"
import type { Change } from "./format/document.ts"
import { edit } from "./format/format.ts"
import {
  type AgentHost,
  type Approve,
  type HostName,
  type HostScope,
  neededVariables,
  type Place,
  type Server
} from "./hosts/agent-host.ts"
import { agentHosts } from "./hosts/hosts.ts"
import { findProgram } from "./model/programs.ts"
import { skillFile, skillText } from "./skill/skill.ts"

/** Refuses secrets from variables that the host gives to no server: the host could not start that server. */
const checkSecrets = ({ title, withholds = [] }: AgentHost, { args }: Server) => {
  const withheld = neededVariables(args).find((name) => withholds.includes(name))
  return withheld === undefined ? Effect.void : new InvalidRequest({
    field: "--secret-env",
    detail:
      `${title} gives ${withheld} to no server; use a variable of another name, or a file: --secret-file ${withheld}=PATH`
  })
}

/** Notes about variables of the server's secrets that are not set here. */
const secretNotes = ({ title }: AgentHost, { args }: Server, { variable }: Place) => {
  const unset = neededVariables(args).filter((name) => variable(name) === undefined)
  return unset.length === 0
    ? []
    : [
      `${title} needs the variable ${
        unset.join(" and ")
      }, which is not set here. Without it pyro's server does not start`
    ]
}

/** The result of `pyro host`, or of its dry run. */
export interface Outcome {
  readonly host: HostName
  readonly scope: HostScope
  /** The file with the entry. */
  readonly config: string
  readonly files: ReadonlyArray<ChangedFile>
  readonly notes: ReadonlyArray<string>
}

export interface ConnectOptions {
  readonly host: HostName
  readonly scope: HostScope
  readonly approve: Approve
  readonly place: Place
  readonly server: Server
  /** Write pyro's skill too. */
  readonly skill: boolean
  readonly dryRun: boolean
  readonly force: boolean
}

/** The file with a host's entry. Fails if the host has none in this scope. */
const configFor = (host: AgentHost, scope: HostScope, place: Place) => {
  const config = host.config(scope, place)
  return config === undefined
    ? new InvalidRequest({
      field: "--scope",
      detail: `${host.title} has no configuration of a project; use --scope user`
    })
    : Effect.succeed(config)
}

/** Refuses the skill for a host without a known folder of skills. */
const checkSkill = (host: AgentHost, scope: HostScope, place: Place) =>
  skillFile(host, scope, place) !== undefined ? Effect.void : new InvalidRequest({
    field: "--skill",
    detail: `pyro knows no folder of skills of ${host.title}. Hosts with one: ${
      Object.values(agentHosts).flatMap(({ name, skills }) => skills === undefined ? [] : [name]).join(", ")
    }`
  })

/** Writes the files and the records, or only describes the changes. */
const carryOut = (
  { dryRun, host, place, scope }: Pick<ConnectOptions, "dryRun" | "host" | "place" | "scope">,
  { files, records }: { readonly files: ReadonlyArray<FileChange>; readonly records: ReadonlyArray<RecordChange> }
) =>
  dryRun ? Effect.succeed(files.map(described)) : write(host, { scope, state: place.state }, files).pipe(
    Effect.tap(() => Effect.forEach(records, (one) => settle(host, place.state, one)))
  )

/** Adds pyro to a host. Does nothing if the host has the same entry; an entry that differs needs `force`. */
export const connect = (
  options: ConnectOptions
): Effect.Effect<Outcome, InvalidRequest | HostFileUnusable | HostEntryDiffers> =>
  Effect.gen(function*() {
    const { approve, dryRun, force, host: name, place, scope, server, skill } = options
    const host = agentHosts[name]
    const config = yield* configFor(host, scope, place)
    yield* checkSecrets(host, server)
    if (skill) yield* checkSkill(host, scope, place)
    const planned = yield* plan({ host, scope, place, approve, tools: toolsOf(selectionOf(server)) }, server, {
      skill: skill ? "put" : undefined
    })
    const { differing, differingSkill } = planned
    if ((differing.length > 0 || differingSkill !== undefined) && !force && !dryRun) {
      return yield* new HostEntryDiffers({
        host: name,
        path: differing.length > 0 ? config.path : differingSkill ?? config.path,
        keys: [...differing, ...(differingSkill === undefined ? [] : ["skill"])],
        diff: planned.files.map((one) => described(one).diff).join("")
      })
    }
    const files = yield* carryOut(options, planned)
    return {
      host: name,
      scope,
      config: config.path,
      files,
      notes: [...planned.notes, ...secretNotes(host, server, place)]
    }
  })

/** Removes pyro's entry, approvals and skill from a host. */
export const disconnect = (
  options: Pick<ConnectOptions, "host" | "scope" | "place" | "dryRun">
): Effect.Effect<Outcome, InvalidRequest | HostFileUnusable> =>
  Effect.gen(function*() {
    const { host: name, place, scope } = options
    const host = agentHosts[name]
    const config = yield* configFor(host, scope, place)
    const planned = yield* plan({ host, scope, place, approve: "none", tools: toolsOf("workspace-full") }, undefined, {
      skill: "take"
    })
    const here = Option.getOrUndefined(yield* Effect.option(entryOf(host, scope, place)))
    const renamed = (here?.stale ?? []).map((one) =>
      `the entry ${one} in ${config.path} runs pyro under another name, and stays. Remove the entry by hand`
    )
    const files = yield* carryOut(options, planned)
    const other = scope === "user" ? "project" : "user"
    const left = Option.getOrUndefined(yield* Effect.option(entryOf(host, other, place)))
    const remaining = left?.entry === undefined ? [] : [
      `the entry in ${left.path} stays. Remove it: pyro host disconnect ${name}${
        other === "user" ? "" : " --scope project"
      }`
    ]
    return { host: name, scope, config: config.path, files, notes: [...planned.notes, ...renamed, ...remaining] }
  })

/**
 * Rewrites an entry that differs from pyro's and a skill of an earlier pyro, and removes other entries that also run pyro. The options of
 * the server, its variables and the approvals stay.
 */
export const repair = (
  options: DoctorOptions & Pick<Outcome, "scope"> & { readonly dryRun: boolean }
): Effect.Effect<Outcome, InvalidRequest | HostFileUnusable> =>
  Effect.gen(function*() {
    const { cwd, host: name, own, place, scope } = options
    const host = agentHosts[name]
    const found = yield* entryOf(host, scope, place)
    if (found === undefined) {
      return yield* new InvalidRequest({
        field: "<host>",
        detail: `${host.title} has no entry for pyro in this scope; add it: pyro host connect ${name}`
      })
    }
    const usable = (command: string) => findProgram(command, processEnvironment()["PATH"], cwd) !== undefined
    const server = meantServer(host, found, usable, own)
    const planned = yield* plan(
      { host, scope, place, approve: "safe", tools: toolsOf(selectionOf(server)) },
      server,
      { keepApprovals: true, stale: found.stale, skill: "mend" }
    )
    const files = yield* carryOut(options, planned)
    return { host: name, scope, config: found.path, files, notes: [] }
  })

export interface Shown {
  readonly host: HostName
  readonly scope: HostScope
  readonly files: ReadonlyArray<{ readonly path: string; readonly text: string }>
  readonly notes: ReadonlyArray<string>
}

/** The text to add to a host's files. Does not read the files. */
export const printConfig = (
  { approve, host: name, place, scope, server, skill }: Omit<ConnectOptions, "dryRun" | "force">
): Effect.Effect<Shown, InvalidRequest | HostFileUnusable> =>
  Effect.gen(function*() {
    const host = agentHosts[name]
    const config = yield* configFor(host, scope, place)
    if (skill) yield* checkSkill(host, scope, place)
    const request: Request = { host, scope, place, approve, tools: toolsOf(selectionOf(server)) }
    const { files: approvals, notes = [], own } = approvalsOf(request)
    const entry = { _tag: "set", path: entryPath(host), value: host.entry(server, scope) } as const
    const files = [{ ...config, changes: [entry] as ReadonlyArray<Change> }, ...approvals]
    const merged = [...new Set(files.map(({ path }) => path))].map((path) => {
      const { format } = files.find((one) => one.path === path)!
      const changes = files.filter((one) => one.path === path).flatMap((one) => one.changes)
        .filter(({ _tag }) => _tag === "set" || _tag === "add")
      return { path, format, changes }
    })
    const shown = yield* Effect.forEach(
      merged.filter(({ changes }) => changes.length > 0),
      ({ changes, format, path }) =>
        Effect.map(Effect.orDie(Effect.fromResult(edit(format, "", changes))), (text) => ({ path, text }))
    )
    return {
      host: name,
      scope,
      files: [
        ...shown,
        ...(own?.text === undefined ? [] : [{ path: own.path, text: own.text }]),
        ...(skill ? [{ path: skillFile(host, scope, place)!, text: yield* skillText(host) }] : [])
      ],
      notes
    }
  })
