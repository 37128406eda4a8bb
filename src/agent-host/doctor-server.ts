import { Effect, Either } from "effect"
import { named } from "../contract/names.ts"
import { processEnvironment } from "../system/config.ts"
import type { AgentHost } from "./agent-host.ts"
import { type Check, type DoctorOptions, fixFor, ok } from "./check.ts"
import { type FoundEntry, selectionOf } from "./entry-of.ts"
import { greet, type Handshake } from "./handshake.ts"
import { at, isTable } from "./json.ts"
import { findProgram, isOwnProgram } from "./surroundings.ts"

/** The variables that an entry sets. */
const ownVariables = (entry: unknown) =>
  [["env"], ["environment"], ["envs"], ["transport", "env"]].map((path) => at(entry, path)).find(isTable) ?? {}

/** The variables that a server gets from its host. */
const environmentOf = (host: AgentHost, entry: unknown) => {
  const all = Object.entries(processEnvironment())
  const listed = at(entry, ["env_vars"])
  const passed = host.passes === undefined
    ? undefined
    : [...host.passes, ...(Array.isArray(listed) ? listed as Array<string> : [])]
  return named([
    ...all.filter(([name]) => passed?.includes(name) ?? true),
    ...Object.entries(ownVariables(entry))
  ]) as Record<string, string>
}

/** Anyone may have written a project's file: its entry is started only if the entry is this pyro and sets no variables. */
const isHarmless = ({ entry, words = [] }: FoundEntry, file: string): boolean =>
  isOwnProgram(file) && words[1] === "mcp" && words[2] === "serve" && Object.keys(ownVariables(entry)).length === 0

/** Starts the server of an entry as the host would, and asks what a host asks. */
export const serverChecks = (host: AgentHost, found: FoundEntry, { cwd, place }: DoctorOptions) =>
  Effect.gen(function*() {
    const check = `server (${found.scope})`
    const env = environmentOf(host, found.entry)
    const [command = "", ...args] = (found.words ?? []).map((word) =>
      word.replaceAll("${workspaceFolder}", place.project)
    )
    const file = findProgram(command, env["PATH"], cwd)
    if (file === undefined) {
      return [
        {
          check,
          status: "failed",
          detail: `${host.title} finds no program ${command === "" ? "in its entry" : command}`,
          fix: fixFor("repair", host, found.scope)
        } satisfies Check
      ]
    }
    if (found.scope === "project" && !isHarmless(found, file)) {
      return [
        {
          check,
          status: "warning",
          detail: `not started: the project's file starts ${
            [command, ...args].join(" ").slice(0, 200)
          }, or sets variables`,
          fix: `look at ${found.path}, and replace its entry: pyro host connect ${host.name} --scope project --force`
        } satisfies Check
      ]
    }
    const ask = (kind: Handshake) => Effect.either(greet(kind, { command: file, args, cwd, env }))
    const answers = yield* Effect.all([ask("initialize"), ask("discover")])
    return answers.map((answer, index): Check => {
      const which = `${check}: ${index === 0 ? "initialize" : "server/discover"}`
      return Either.match(answer, {
        onLeft: (detail): Check => ({
          check: which,
          status: "failed",
          detail,
          fix: `try it: ${[command, ...args].join(" ")}`
        }),
        onRight: ({ protocol, tools, version }) =>
          tools.length === 0
            ? { check: which, status: "failed", detail: "the server has no tools" }
            : ok(
              which,
              `pyro ${version}, protocol ${protocol}, ${tools.length} tools (${selectionOf({ command, args })})`
            )
      })
    })
  })
