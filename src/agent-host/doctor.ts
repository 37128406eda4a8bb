import { Effect, Result } from "effect"
import type { Approve, HostName, HostScope } from "../contract/rows/agent-host.ts"
import { runTool } from "../system/processes/child.ts"
import { processEnvironment } from "../system/settings/config.ts"
import { entryOf, type FoundEntry, meantServer, selectionOf, toolsOf } from "./connect/found-entry.ts"
import { plan, readDocument } from "./connect/plan.ts"
import { type Check, type DoctorOptions, failed, fixFor, ok, serverChecks, warning } from "./doctor/server.ts"
import { at } from "./format/document.ts"
import type { AgentHost, Place, Server } from "./hosts/agent-host.ts"
import { agentHosts } from "./hosts/hosts.ts"
import { findProgram } from "./model/programs.ts"
import { skillChecks } from "./skill/check.ts"

export interface Diagnosis {
  readonly host: HostName
  readonly checks: ReadonlyArray<Check>
}

/** The host's program and its version. */
const programCheck = ({ program, title }: AgentHost): Effect.Effect<Check> => {
  const check = title
  const file = findProgram(program, processEnvironment()["PATH"], "/")
  if (file === undefined) {
    return Effect.succeed(warning(check, `${program} is not on PATH`, `install ${title}`))
  }
  return runTool(file, ["--version"], { maxOutputBytes: 65_536 }).pipe(
    Effect.timeout("20 seconds"),
    Effect.match({
      onFailure: () => ({ check, status: "warning", detail: `${file} does not tell its version` } as const),
      onSuccess: ({ stdout }) =>
        ok(check, `${(stdout.toString("utf8").trim().split("\n")[0] ?? "").slice(0, 80)} (${file})`)
    })
  )
}

const LEVELS: ReadonlyArray<Approve> = ["safe", "all", "none"]

/** The level of `--approve` that a host's files have. */
const approvalCheck = (host: AgentHost, found: FoundEntry, server: Server, place: Place) =>
  Effect.gen(function*() {
    const check = `approvals (${found.scope})`
    const tools = toolsOf(selectionOf(server))
    for (const approve of LEVELS) {
      const { files } = yield* plan({ host, scope: found.scope, place, approve, tools }, server, {
        onlyApprovals: true
      })
      if (files.length > 0) continue
      const setsNothing =
        (yield* plan({ host, scope: found.scope, place, approve: "all", tools }, server, { onlyApprovals: true }))
          .files.length === 0
      return setsNothing && approve === "safe" ? ok(check, `${host.title} decides`) : ok(check, approve)
    }
    return ok(check, "your own")
  })

const entryChecks = (host: AgentHost, found: FoundEntry, options: DoctorOptions) =>
  Effect.gen(function*() {
    const { cwd, own, place } = options
    const { entry, path, scope, stale } = found
    const check = `entry (${scope})`
    const stales = stale.map((name) =>
      warning(check, `${path} has another server ${name} that is pyro as well`, fixFor("repair", host, scope))
    )
    if (entry === undefined) return stales
    const usable = (command: string) => findProgram(command, processEnvironment()["PATH"], cwd) !== undefined
    const server = meantServer(host, found, usable, own)
    const { differing } = yield* plan(
      { host, scope, place, approve: "safe", tools: toolsOf(selectionOf(server)) },
      server,
      { keepApprovals: true }
    )
    const isOff = at(entry, ["enabled"]) === false || at(entry, ["disabled"]) === true
    const entryCheck = isOff
      ? failed(check, `${path} has the entry, but the entry is disabled`, `enable pyro in ${host.title}`)
      : differing.length > 0
      ? warning(check, `${path}: not as pyro writes it: ${differing.join(", ")}`, fixFor("repair", host, scope))
      : ok(check, path)
    const trust = scope === "project" ? host.trust?.(place) : undefined
    const trusted = trust === undefined
      ? []
      : trust.isTrusted((yield* readDocument(host, trust.file.path, trust.file.format)).value)
      ? [ok("trust", place.project)]
      : [warning("trust", `${host.title} does not trust ${place.project} yet`, trust.fix)]
    return [
      entryCheck,
      ...stales,
      ...trusted,
      yield* approvalCheck(host, found, server, place),
      ...yield* serverChecks(host, found, options)
    ]
  })

/** Checks how a host will see pyro. Changes nothing. Starts the server twice and ends it. */
export const doctor = (options: DoctorOptions): Effect.Effect<Diagnosis> =>
  Effect.gen(function*() {
    const host = agentHosts[options.host]
    const checks = [yield* programCheck(host)]
    const scopes: ReadonlyArray<HostScope> = options.hasProject ? ["user", "project"] : ["user"]
    let entries = 0
    for (const scope of scopes) {
      const checked = yield* Effect.result(Effect.gen(function*() {
        const found = yield* entryOf(host, scope, options.place)
        if (found?.entry !== undefined) entries += 1
        return [
          ...found === undefined ? [] : yield* entryChecks(host, found, options),
          ...yield* skillChecks(host, scope, options.place)
        ]
      }))
      if (Result.isSuccess(checked)) checks.push(...checked.success)
      else checks.push(failed(`entry (${scope})`, checked.failure.fact, "correct the file"))
    }
    if (entries === 0 && !checks.some(({ status }) => status === "failed")) {
      checks.push(failed("entry", `${host.title} has no entry for pyro`, fixFor("connect", host, "user")))
    }
    if (entries > 1) {
      const detail = "both your files and the project's have an entry; one is enough"
      checks.push(warning("entries", detail, fixFor("disconnect", host, "project")))
    }
    return { host: host.name, checks }
  })
