import { Effect, Stream } from "effect"
import { type HostToolMissing, InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { SshAgentPayload } from "../../contract/rows/workspace-ssh-agent.ts"
import type { SshConfig } from "../../contract/rows/workspace-ssh.ts"
import { nameLine, oneLine } from "../../contract/text/one-line.ts"
import { typed } from "../../contract/text/printable.ts"
import { nodeProgram } from "../../sdk/daemon-command.ts"
import { asks } from "../output/ask.ts"
import { OutputOptions, print, warn } from "../output/print.ts"
import { type OutputClosed, Terminal } from "../terminal/Terminal.ts"
import type { Views } from "./view.ts"

/** Variables that choose pyro's directories. */
const VARIABLES = ["PYRO_STATE_DIR", "PYRO_CACHE_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"]

const load = Effect.promise(async () => ({
  ...await import("../../lib/ssh/client-entry.ts"),
  ...await import("../../lib/ssh/client-files.ts")
}))

const refused = ({ detail }: { readonly detail: string }) => new InvalidRequest({ field: "", detail })
const unusable = ({ detail, path }: { readonly detail: string; readonly path: string }) =>
  new InvalidRequest({ field: "", detail: `${path} cannot be used: ${detail}. Nothing else was changed` })

/** The entry of a workspace, as this pyro writes it. */
const entryOf = (config: SshConfig): Effect.Effect<string, HostToolMissing | InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const { entryText } = yield* load
    const { variable } = yield* Terminal
    const variables = VARIABLES.flatMap((name) => {
      const value = variable(name)
      return value === undefined || value === "" ? [] : [[name, value] as const]
    })
    const argv = [yield* nodeProgram, process.argv[1] ?? "pyro"]
    return yield* Effect.mapError(Effect.fromResult(entryText(config, { argv, variables })), refused)
  })

const homeOf: Effect.Effect<string, InvalidRequest, Terminal> = Effect.flatMap(Terminal, ({ variable }) => {
  const home = variable("HOME")
  return home?.startsWith("/") === true
    ? Effect.succeed(home)
    : new InvalidRequest({ field: "", detail: "HOME is not set, so there is no ~/.ssh" })
})

/** The options that OpenSSH's clients need to find an entry: none, or `-F` where HOME is not the home directory of the account. */
const clientOptions = (host: string) =>
  Effect.gen(function*() {
    const { otherHome, placesOf } = yield* load
    const home = yield* homeOf
    const other = otherHome(home)
    return other === undefined ? undefined : { home, other, words: ["-F", placesOf(home, host).config] }
  })

const warnOfHome = (host: string) =>
  Effect.flatMap(clientOptions(host), (options) =>
    options === undefined ? Effect.void : warn(
      `pyro: warning: HOME is ${options.home}, but OpenSSH reads ${options.other}/.ssh. ` +
        `Its clients need ${typed(options.words)}\n`
    ))

/** The names are the guest's: a long one must not push the others off the screen. */
export const loginQuestion = ({ fingerprint, host, user }: {
  readonly fingerprint: string
  readonly host: string
  readonly user: string
}) => `Log in to ${nameLine(host)} as ${nameLine(user)} with ${nameLine(fingerprint)}?`

/** Writes the entry to the person's files, after a question. False if the person does not want it. */
export const writeEntry = (
  config: SshConfig,
  { yes }: { readonly yes: boolean }
): Effect.Effect<boolean, HostToolMissing | InvalidRequest | OutputClosed, Terminal> =>
  Effect.gen(function*() {
    const { apply, placesOf, planWrite } = yield* load
    const places = placesOf(yield* homeOf, config.host)
    const entry = yield* entryOf(config)
    const changes = yield* Effect.mapError(planWrite(places, entry), unusable)
    if (changes.length === 0) return yield* Effect.as(warnOfHome(config.host), true)
    const files = changes.map(({ known }) => known.path).join(" and ")
    const isMeant = yes || (yield* asks(`Write ${files}?`))
    if (isMeant === undefined) {
      return yield* new InvalidRequest({
        field: "--yes",
        detail: `is needed without a terminal: ${files} would be written`
      })
    }
    if (!isMeant) return false
    yield* Effect.mapError(apply(places, changes), unusable)
    yield* warnOfHome(config.host)
    return true
  })

/** The name of an entry by the words of a person. The workspace may be gone. */
const hostOf = (pyro: PyroService, workspace: string): Effect.Effect<string, PyroError> =>
  Effect.catchTag(
    Effect.map(pyro.workspace.ssh.config({ workspace }), ({ host }) => host),
    "WorkspaceNotFound",
    (failure) =>
      /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(workspace) ? Effect.succeed(`pyro-${workspace}`) : Effect.fail(failure)
  )

const removeEntry = (pyro: PyroService, workspace: string) =>
  Effect.gen(function*() {
    const { apply, placesOf, planRemove } = yield* load
    const host = yield* hostOf(pyro, workspace)
    const places = placesOf(yield* homeOf, host)
    const changes = yield* Effect.mapError(planRemove(places), unusable)
    const hasEntry = changes.some(({ known }) => known.path === places.entry)
    yield* Effect.mapError(apply(places, changes), unusable)
    yield* warn(hasEntry ? `pyro: ${host} is no longer in ~/.ssh\n` : `pyro: ~/.ssh has no entry ${host}\n`)
    return hasEntry ? 0 : 1
  })

/** Lends the person's agent until the command is interrupted, or the guest is lost. */
const performLoan = (pyro: PyroService, payload: SshAgentPayload) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const agent = terminal.variable("SSH_AUTH_SOCK")
    if (agent === undefined || agent === "") {
      return yield* new InvalidRequest({
        field: "",
        detail: "no agent to lend: SSH_AUTH_SOCK is not set. Start one: eval $(ssh-agent); ssh-add"
      })
    }
    if (payload.ask && (!terminal.stdinIsTerminal || !terminal.stderrIsTerminal)) {
      return yield* new InvalidRequest({ field: "--ask", detail: "needs a terminal" })
    }
    const { knownHosts, lend, unknownHostText, useText } = yield* Effect.promise(() =>
      import("../../lib/ssh/lend-agent.ts")
    )
    const hosts = knownHosts(yield* homeOf, payload.host)
    const unknown = [...hosts].find(([, keys]) => keys.size === 0)?.[0]
    if (unknown !== undefined) {
      return yield* new InvalidRequest({
        field: "--host",
        detail: unknownHostText(unknown)
      })
    }
    const withTerminal = Effect.provideService(Terminal, terminal)
    const loan = yield* lend(
      {
        agent,
        hosts: () => hosts,
        allows: ({ fingerprint, host, user }) =>
          payload.ask
            ? Effect.map(asks(loginQuestion({ host, user, fingerprint })), (answer) => answer === true).pipe(
              withTerminal
            )
            : Effect.succeed(true),
        tell: (use) => withTerminal(warn(`pyro: ${oneLine(useText(use))}\n`))
      },
      withTerminal(
        warn(`pyro: lends your SSH agent to ${payload.workspace} for ${payload.host.join(", ")}, until Ctrl-C\n`)
      )
    )
    yield* Stream.runForEach(
      pyro.workspace.ssh.agent(payload, { stdin: loan.answers }),
      (event) => event._tag === "Output" ? loan.take(event.bytes) : Effect.void
    )
  })

export const sshViews = {
  "workspace.ssh.config": {
    result: (config) =>
      Effect.orDie(Effect.flatMap(entryOf(config), print)) as Effect.Effect<void, OutputClosed, Terminal>,
    perform: (pyro, payload) =>
      Effect.gen(function*() {
        const { switches } = yield* OutputOptions
        if (switches.has("remove") && switches.has("write")) {
          return yield* new InvalidRequest({ field: "--remove", detail: "cannot be combined with --write" })
        }
        if (switches.has("remove")) {
          return { _tag: "Shown" as const, status: yield* removeEntry(pyro, payload.workspace) }
        }
        const config = yield* pyro.workspace.ssh.config(payload)
        if (!switches.has("write")) {
          // A value that no entry can carry is an error of the request.
          yield* entryOf(config)
          return { _tag: "Result" as const, result: config }
        }
        const isWritten = yield* writeEntry(config, { yes: switches.has("yes") })
        const { words } = (yield* clientOptions(config.host)) ?? { words: [] }
        const use = typed(["ssh", ...words, config.host])
        yield* warn(isWritten ? `pyro: ready. Use it: ${use}\n` : "nothing was written\n")
        return { _tag: "Shown" as const, status: isWritten ? 0 : 1 }
      })
  },
  "workspace.ssh.agent": {
    result: () => Effect.void,
    perform: (pyro, payload) => Effect.map(performLoan(pyro, payload), () => ({ _tag: "Shown" as const, status: 0 }))
  },
  "workspace.ssh.proxy": {
    result: () => Effect.void,
    perform: (pyro, payload) =>
      Effect.gen(function*() {
        const terminal = yield* Terminal
        if (terminal.stdinIsTerminal || terminal.stdoutIsTerminal) {
          return yield* new InvalidRequest({
            field: "",
            detail:
              `carries the bytes of an SSH client, and is no command to type. For the client: pyro ssh-config ${payload.workspace}`
          })
        }
        let reason: string | undefined
        yield* Stream.runForEach(pyro.workspace.ssh.proxy(payload, { stdin: terminal.stdin }), (event) => {
          if (event._tag === "Output") return terminal.writeStdout(event.bytes)
          reason = event.reason
          return Effect.void
        })
        if (reason !== undefined) yield* warn(`pyro: the SSH connection has ended: ${reason}\n`)
        return { _tag: "Shown" as const, status: reason === undefined ? 0 : 1 }
      })
  }
} satisfies Views
