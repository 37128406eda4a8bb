import { Clock, Effect } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import type { StartDaemon } from "../sdk/model/start-daemon.ts"
import { decode, parse, type Typed } from "./arguments/parser.ts"
import { note, OutputOptions, print, printJson } from "./output/print.ts"
import { printTable } from "./output/table.ts"
import { withPaths } from "./perform/host-paths.ts"
import type { ServeCommand } from "./rows/serve.ts"
import { type OutputClosed, Terminal } from "./terminal/Terminal.ts"

/** What serves clients of other machines. */
interface Serving {
  readonly serveStdio: Effect.Effect<number>
  readonly startDaemon: StartDaemon
}

/** Performs a command of `pyro serve` and returns the exit status. */
export const performServe = (
  command: ServeCommand,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined,
  serving: Serving
): Effect.Effect<number, PyroError | OutputClosed, Terminal> =>
  Effect.gen(function*() {
    const typed = yield* parse(command, words, rest)
    const { inOwnState } = yield* Effect.promise(() => import("../serve/state.ts"))
    return yield* Effect.provideService(inOwnState(performTyped(command, typed, serving)), OutputOptions, {
      quiet: typed.quiet,
      switches: new Set<string>()
    })
  })

/** The error of a server that nobody can reach. */
const noDoor = new InvalidRequest({
  field: "--stdio",
  detail:
    "say how clients come: --stdio is for one client, which starts this through ssh; --listen HOST:PORT is for clients with tokens"
})

const both = new InvalidRequest({ field: "--stdio", detail: "cannot be combined with --listen" })

const loadTokens = Effect.promise(() => import("../serve/tokens.ts"))

const performTyped = (command: ServeCommand, { json, raw }: Typed, { serveStdio, startDaemon }: Serving) =>
  Effect.gen(function*() {
    switch (command.name) {
      case "serve": {
        const { resolvePath } = yield* Terminal
        const paths = withPaths(command.cli, raw, resolvePath)
        const { listen, stdio, ...files } = yield* decode(command.cli, command.payload(), paths)
        if (listen === undefined) return yield* stdio ? serveStdio : Effect.fail(noDoor)
        if (stdio) return yield* both
        return yield* serveListening({ listen, ...files }, startDaemon, json)
      }
      case "serve.token.add": {
        const { addToken } = yield* loadTokens
        const { stored, token } = yield* addToken(yield* decode(command.cli, command.payload(), raw))
        const { expiresAt, name, role, tenant } = stored
        if (json) yield* printJson({ name, tenant, role, ...(expiresAt && { expires_at: expiresAt }), token })
        else {
          yield* print(`${token}\n`)
          yield* note(
            `token ${name} of tenant ${tenant}, ${role}, until ${expiresAt ?? "revoked"}. It is not shown again\n`
          )
        }
        return 0
      }
      case "serve.token.list": {
        const { isExpired, listTokens } = yield* loadTokens
        const tokens = yield* listTokens
        const shown = tokens.map(({ createdAt, expiresAt, name, role, tenant }) => ({
          name,
          tenant,
          role,
          created_at: createdAt,
          ...(expiresAt && { expires_at: expiresAt })
        }))
        if (json) yield* printJson({ tokens: shown })
        else {
          const now = yield* Clock.currentTimeMillis
          yield* printTable([
            ["NAME", "TENANT", "ROLE", "ENDS"],
            ...tokens.map((token) => [
              token.name,
              token.tenant,
              token.role,
              `${token.expiresAt ?? "never"}${isExpired(token, now) ? " (over)" : ""}`
            ])
          ], { head: true })
        }
        return 0
      }
      case "serve.quota": {
        const { showOrSetQuotas } = yield* Effect.promise(() => import("../serve/quota.ts"))
        const { tenant, ...quotas } = yield* decode(command.cli, command.payload(), raw)
        const set = yield* showOrSetQuotas(tenant, quotas)
        const { commands, diskMib, memoryMib, vcpus, workspaces } = set
        const shown = { workspaces, memory_mib: memoryMib, vcpus, disk_mib: diskMib, commands }
        if (json) yield* printJson({ tenant, ...shown })
        else {
          yield* printTable([
            ["QUOTA", "LIMIT"],
            ...Object.entries(shown).map(([name, value]) => [name, value === undefined ? "none" : String(value)])
          ], { head: true })
        }
        return 0
      }
      case "serve.token.revoke": {
        const { revokeToken } = yield* loadTokens
        const { name } = yield* decode(command.cli, command.payload(), raw)
        yield* revokeToken(name)
        if (json) yield* printJson({ name })
        return 0
      }
    }
  })

/** Serves until a signal ends the process. */
const serveListening = (
  options: { readonly listen: string; readonly tlsCert?: string; readonly tlsKey?: string; readonly clientCa?: string },
  start: StartDaemon,
  json: boolean
) =>
  Effect.scoped(Effect.gen(function*() {
    const { doorLog, openDoor } = yield* Effect.promise(() => import("../serve/listen.ts"))
    const { port } = yield* openDoor(options, { start, record: yield* doorLog })
    const host = options.listen.slice(0, options.listen.lastIndexOf(":"))
    const url = `${options.tlsCert === undefined ? "ws" : "wss"}://${host}:${port}`
    yield* json ? printJson({ url, port }) : print(`pyro listens at ${url}\n`)
    return yield* Effect.never
  }))
