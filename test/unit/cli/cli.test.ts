import { Effect, Layer, Ref, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { cli } from "../../../src/cli/cli.ts"
import { OutputClosed, Terminal } from "../../../src/cli/terminal.ts"
import type { RunEvent, RunPayload } from "../../../src/contract/operations/run.ts"
import { Pyro, type PyroService, type RunInput } from "../../../src/contract/Pyro.ts"
import { unfakedPyro } from "../../support/unfaked-pyro.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const EXITED: RunEvent = {
  _tag: "Exited",
  outcome: "exited",
  status: 0,
  durations: { totalMs: 2, bootMs: 1, commandMs: 1 }
}

interface Surroundings {
  readonly terminal?: Partial<Terminal["Type"]>
  readonly run?: (payload: RunPayload, input: RunInput) => ReturnType<PyroService["run"]>
}

/** Runs one command line on a terminal of strings; `journal` is what happened to it, in order. */
const on = (argv: ReadonlyArray<string>, { run, terminal }: Surroundings = {}) =>
  Effect.runPromise(Effect.gen(function*() {
    const journal = yield* Ref.make<ReadonlyArray<string>>([])
    const note = (line: string) => Ref.update(journal, (lines) => [...lines, line])
    const written = (to: string) => (data: Uint8Array | string) =>
      note(`${to} ${typeof data === "string" ? data : new TextDecoder().decode(data)}`)
    const requests: Array<RunPayload> = []
    const pyro: PyroService = {
      ...unfakedPyro,
      run: (payload, input) => {
        requests.push(payload)
        return run?.(payload, input ?? {}) ?? Stream.make<[RunEvent]>(EXITED)
      }
    }
    const status = yield* cli({
      argv,
      version: "1.2.3",
      pyro: () => Layer.effect(Pyro, Effect.as(note("built"), pyro)),
      interruption: { signal: () => undefined }
    }).pipe(Effect.provideService(Terminal, {
      stdinIsTerminal: false,
      stdoutIsTerminal: false,
      stderrIsTerminal: false,
      writeStdout: written("out"),
      writeStderr: written("err"),
      stdin: Stream.empty,
      size: Effect.succeed({ rows: 50, cols: 132 }),
      resizes: Stream.empty,
      raw: Effect.acquireRelease(note("raw"), () => note("cooked")),
      resolvePath: (path) => path.startsWith("/") ? path : `/here/${path}`,
      workspace: undefined,
      type: "xterm",
      ...terminal
    }))
    return { status, journal: yield* Ref.get(journal), requests }
  }))

const REAL_TERMINAL = { stdinIsTerminal: true, stdoutIsTerminal: true, stderrIsTerminal: true }

describe("the command line", () => {
  it("does not touch what does the work before the command line is understood", async () => {
    for (
      const argv of [["--help"], ["run", "--help"], ["run", "debian:12", "--mem-mib", "8", "--", "x"], ["nonsense"]]
    ) {
      const { journal } = await on(argv)
      assert.notInclude(journal, "built", argv.join(" "))
    }
  })

  it("fills in a shell, the window's size and TERM on a terminal", async () => {
    const { requests } = await on(["run", "debian:12"], { terminal: REAL_TERMINAL })
    assert.deepInclude(requests[0], { command: [], tty: true, rows: 50, cols: 132, env: { TERM: "xterm" } })
  })

  it("asks for no terminal when a command is given, even on one", async () => {
    const { requests } = await on(["run", "debian:12", "--", "ls"], { terminal: REAL_TERMINAL })
    assert.deepInclude(requests[0], { command: ["ls"], tty: false, env: {} })
  })

  it("lets --env TERM win over the terminal's", async () => {
    const { requests } = await on(["run", "debian:12", "--tty", "--env", "TERM=dumb"], { terminal: REAL_TERMINAL })
    assert.deepStrictEqual(requests[0]?.env, { TERM: "dumb" })
  })

  it("refuses a shell and --tty with --json", async () => {
    for (const argv of [["run", "debian:12", "--json"], ["run", "debian:12", "--tty", "--json", "--", "x"]]) {
      const { journal, status } = await on(argv, { terminal: REAL_TERMINAL })
      assert.strictEqual(status, 2)
      assert.strictEqual(journal.length, 1)
      assert.match(journal[0] ?? "", /^out \{\n {2}"error": \{\n {4}"code": "invalid_request"/)
    }
  })

  it("makes the terminal raw only while the guest's command runs", async () => {
    const { journal } = await on(["run", "debian:12", "--tty", "--", "x"], {
      terminal: REAL_TERMINAL,
      run: () =>
        Stream.make<Array<RunEvent>>(
          { _tag: "Notice", level: "warning", message: "w" },
          { _tag: "Started", bootMs: 1 },
          { _tag: "Output", from: "stdout", bytes: bytes("x") },
          EXITED
        )
    })
    assert.deepStrictEqual(journal, ["built", "err pyro: warning: w\n", "raw", "out x", "cooked"])
  })

  it("gives no key to the guest before its command runs", async () => {
    const { journal } = await on(["run", "debian:12", "--tty", "--", "x"], {
      terminal: { ...REAL_TERMINAL, stdin: Stream.make(bytes("key")) },
      run: (_, input) =>
        Stream.concat(
          Stream.make<[RunEvent]>({ _tag: "Started", bootMs: 1 }),
          Stream.concat(
            Stream.map(
              input.stdin ?? Stream.empty,
              (data): RunEvent => ({ _tag: "Output", from: "stdout", bytes: data })
            ),
            Stream.make(EXITED)
          )
        )
    })
    assert.deepStrictEqual(journal, ["built", "raw", "out key", "cooked"])
  })

  it("keeps the order in which the guest wrote to stdout and stderr", async () => {
    const { journal } = await on(["run", "debian:12", "--", "x"], {
      run: () =>
        Stream.make<Array<RunEvent>>(
          { _tag: "Output", from: "stdout", bytes: bytes("1") },
          { _tag: "Output", from: "stderr", bytes: bytes("2") },
          { _tag: "Output", from: "stdout", bytes: bytes("3") },
          EXITED
        )
    })
    assert.deepStrictEqual(journal, ["built", "out 1", "err 2", "out 3"])
  })

  it("ends the work when nobody reads stdout", async () => {
    let ended = false
    const { journal, status } = await on(["run", "debian:12", "--", "yes"], {
      terminal: { writeStdout: () => new OutputClosed({ code: "EPIPE" }) },
      run: () =>
        Stream.repeatValue<RunEvent>({ _tag: "Output", from: "stdout", bytes: bytes("y\n") }).pipe(
          Stream.ensuring(Effect.sync(() => {
            ended = true
          }))
        )
    })
    assert.deepStrictEqual([status, ended, journal], [141, true, ["built"]])
  })

  it("fails with 125 when the stream of events ends without the command's end", async () => {
    const { journal, status } = await on(["run", "debian:12", "--", "x"], { run: () => Stream.empty })
    assert.strictEqual(status, 125)
    assert.match(journal[1] ?? "", /^err pyro: lost the channel to the guest/)
  })
})
