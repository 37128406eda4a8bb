import { Effect, Layer, Ref, Schema, Stream } from "effect"
import { cli } from "../../../src/cli/cli.ts"
import { FileUnreadable, Terminal } from "../../../src/cli/terminal/Terminal.ts"
import { PyroError } from "../../../src/contract/errors/errors.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { RunInput } from "../../../src/contract/rows/run-input.ts"
import type { RunEvent, RunPayload } from "../../../src/contract/rows/run.ts"

export const EXITED: RunEvent = {
  _tag: "Exited",
  outcome: "exited",
  status: 0,
  durations: { totalMs: 2, bootMs: 1, commandMs: 1 }
}

/** Calls of any operation, by its name, answered with what a test says, or with what its function returns. */
type Answers = Readonly<Record<string, unknown>>

export interface CallContext {
  readonly answers?: Answers
  readonly files?: Readonly<Record<string, Uint8Array>>
  readonly terminal?: Partial<Terminal["Service"]>
  readonly run?: (payload: RunPayload, input: RunInput) => ReturnType<PyroService["run"]>
  /** The signal of an interruption that an answer makes. @default none */
  readonly signal?: { readonly name: string; readonly status: number }
}

/** Runs one command line on a terminal of strings; `journal` is what happened to it, in order. */
export const on = (
  argv: ReadonlyArray<string>,
  { answers = {}, files = {}, run, signal: received, terminal }: CallContext = {}
) =>
  Effect.runPromise(Effect.gen(function*() {
    const journal = yield* Ref.make<ReadonlyArray<string>>([])
    const note = (line: string) => Ref.update(journal, (lines) => [...lines, line])
    const written = (to: string) => (data: Uint8Array | string) =>
      note(`${to} ${typeof data === "string" ? data : new TextDecoder().decode(data)}`)
    const requests: Array<RunPayload> = []
    const called: Array<readonly [string, unknown]> = []
    const pyro: PyroService = {
      ...answering(answers, called),
      run: (payload, input) => {
        requests.push(payload)
        return run?.(payload, input ?? {}) ?? Stream.make<[RunEvent]>(EXITED)
      }
    }
    const { signal, status } = yield* cli({
      argv,
      version: "1.2.3",
      pyro: () => Layer.effect(Pyro, Effect.as(note("built"), pyro)),
      interruption: { signal: () => received },
      serveMcp: () => Effect.void,
      serveStdio: Effect.succeed(0),
      startDaemon: { version: "1.2.3", command: ["false"] },
      names: {
        services: () => Effect.succeed([]),
        contexts: Effect.succeed([]),
        isElsewhere: () => Effect.succeed(false),
        guestFiles: () => Effect.succeed([]),
        workspaces: Effect.succeed(["fix", "parser"]),
        workspaceIds: Effect.succeed([]),
        commands: () => Effect.succeed([]),
        snapshots: () => Effect.succeed([]),
        saved: Effect.succeed([]),
        environments: Effect.succeed(["debian:12", "debian:13"]),
        files: () => Effect.succeed([])
      }
    }).pipe(Effect.provideService(Terminal, {
      stdinIsTerminal: false,
      stdinIsNull: false,
      hasUnreadStdin: Effect.succeed(false),
      stdoutIsTerminal: false,
      stderrIsTerminal: false,
      outputsAreOne: false,
      colour: false,
      writeStdout: written("out"),
      writeStderr: written("err"),
      stdin: Stream.empty,
      size: Effect.succeed({ rows: 50, cols: 132 }),
      resizes: Stream.empty,
      interceptSignal: Effect.succeed(Effect.never),
      guard: Effect.succeed(() => {}),
      raw: Effect.acquireRelease(note("raw"), () => note("cooked")),
      readFile: (path) =>
        files[path] === undefined
          ? new FileUnreadable({ detail: `${path} cannot be read: there is no such file` })
          : Effect.succeed(files[path]),
      openFile: (path) =>
        files[path] === undefined
          ? new FileUnreadable({ detail: `${path} cannot be read: there is no such file` })
          : Effect.succeed(Stream.make(files[path])),
      resolvePath: (path) => path.startsWith("/") || path === "-" ? path : `/here/${path}`,
      workspace: undefined,
      variable: () => undefined,
      type: "xterm",
      ...terminal
    }))
    return { status, signal, journal: yield* Ref.get(journal), requests, called }
  }))

const isPyroError = Schema.is(PyroError)

/** A service whose calls are noted and answered; streaming ones with what is answered as their only event, or a list of them. */
const answering = (answers: Answers, called: Array<readonly [string, unknown]>): PyroService => {
  const root: Record<string, unknown> = {}
  for (const row of operations) {
    const words = row.name.split(".")
    let at = root
    for (const word of words.slice(0, -1)) at = (at[word] ??= {}) as Record<string, unknown>
    at[words.at(-1)!] = (payload: unknown, input?: RunInput) => {
      called.push([row.name, payload])
      const said = answers[row.name]
      const answer = typeof said === "function" ? said(payload, input ?? {}) as unknown : said
      if (Stream.isStream(answer)) return answer
      if (isPyroError(answer)) return row.kind === "unary" ? Effect.fail(answer) : Stream.fail(answer)
      return row.kind === "unary"
        ? Effect.succeed(answer)
        : Stream.fromIterable(Array.isArray(answer) ? answer : [answer])
    }
  }
  return root as unknown as PyroService
}

export const REAL_TERMINAL = { stdinIsTerminal: true, stdoutIsTerminal: true, stderrIsTerminal: true }
