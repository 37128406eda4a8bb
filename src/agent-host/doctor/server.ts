import { Effect, Result } from "effect"
import { named } from "../../contract/text/names.ts"
import { processEnvironment } from "../../system/settings/config.ts"
import { type Check, type DoctorOptions, fixFor, ok } from "../connect/check.ts"
import { isHandedOn, neededVariables, variablesOf } from "../connect/entries.ts"
import { type FoundEntry, selectionOf } from "../connect/entry-of.ts"
import type { AgentHost, Variables } from "../hosts/agent-host.ts"
import { findProgram, isOwnProgram } from "../hosts/find-program.ts"
import { greet, type Handshake } from "./handshake.ts"

/** The variables that the server of an entry gets from its host. */
const environmentOf = ({ environment, withholds = [] }: AgentHost, entry: unknown): Variables => {
  const all = named(
    Object.entries(processEnvironment()).flatMap(([name, value]) =>
      value === undefined || withholds.includes(name) ? [] : [[name, value] as const]
    )
  )
  return environment?.(all, entry) ?? named([...Object.entries(all), ...Object.entries(variablesOf(entry))])
}

/** Anyone may have written a project's file: its entry is started only if the entry is this pyro and sets no variables. */
const isHarmless = ({ entry, words = [] }: FoundEntry, file: string): boolean =>
  isOwnProgram(file) && words[1] === "mcp" && words[2] === "serve" &&
  Object.entries(variablesOf(entry)).every(isHandedOn)

/** Secrets whose variables the host does not give to the server, which then does not start. */
const secretChecks = (
  host: AgentHost,
  { scope }: FoundEntry,
  args: ReadonlyArray<string>,
  env: Variables
): ReadonlyArray<Check> => {
  const { title, withholds = [] } = host
  return neededVariables(args).filter((name) => (env[name] ?? "") === "").map((name) => ({
    check: `secret ${name} (${scope})`,
    status: "failed",
    ...(withholds.includes(name)
      ? {
        detail: `${title} gives ${name} to no server, so the server does not start`,
        fix: `use a variable of another name, or a file: --secret-file ${name}=PATH`
      }
      : (processEnvironment()[name] ?? "") === ""
      ? {
        detail: `the variable ${name} is not set here, and without it the server does not start`,
        fix: `export ${name}=…, and start ${title} from the same shell`
      }
      : {
        detail: `${title} does not give the variable ${name} to the server, which then does not start`,
        fix: fixFor("repair", host, scope)
      })
  }))
}

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
    const secrets = secretChecks(host, found, args, env)
    if (secrets.length > 0) return secrets
    const ask = (kind: Handshake) => Effect.result(greet(kind, { command: file, args, cwd, env }))
    const answers = yield* Effect.all([ask("initialize"), ask("discover")])
    return answers.map((answer, index): Check => {
      const which = `${check}: ${index === 0 ? "initialize" : "server/discover"}`
      return Result.match(answer, {
        onFailure: (detail): Check => ({
          check: which,
          status: "failed",
          detail,
          fix: `try it: ${[command, ...args].join(" ")}`
        }),
        onSuccess: ({ protocol, tools, version }) =>
          tools.length === 0
            ? { check: which, status: "failed", detail: "the server has no tools" }
            : ok(
              which,
              `pyro ${version}, protocol ${protocol}, ${tools.length} tools (${selectionOf({ command, args })})`
            )
      })
    })
  })
