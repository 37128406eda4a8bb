import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { FileUnreadable, OutputClosed } from "../../../src/cli/terminal/Terminal.ts"
import type { RunInput } from "../../../src/contract/rows/run-input.ts"
import type { RunEvent } from "../../../src/contract/rows/run.ts"
import { type CallContext, EXITED, on, REAL_TERMINAL } from "./on.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

describe("the command line", () => {
  it("the CLI builds no layer before the command line is parsed", async () => {
    for (
      const argv of [["--help"], ["run", "--help"], ["run", "debian:12", "--mem-mib", "8", "--", "x"], ["nonsense"]]
    ) {
      const { journal } = await on(argv)
      assert.notInclude(journal, "built", argv.join(" "))
    }
  })

  it("run --tty without a command fills in a shell, the window size and TERM", async () => {
    const { requests } = await on(["run", "debian:12"], { terminal: REAL_TERMINAL })
    assert.deepInclude(requests[0], { command: [], tty: true, rows: 50, cols: 132, env: { TERM: "xterm" } })
  })

  it("a command on a terminal gets no terminal without --tty", async () => {
    const { requests } = await on(["run", "debian:12", "--", "ls"], { terminal: REAL_TERMINAL })
    assert.deepInclude(requests[0], { command: ["ls"], tty: false, env: {} })
  })

  it("--env TERM overrides the terminal's TERM", async () => {
    const { requests } = await on(["run", "debian:12", "--tty", "--env", "TERM=dumb"], { terminal: REAL_TERMINAL })
    assert.deepStrictEqual(requests[0]?.env, { TERM: "dumb" })
  })

  it("--json on a terminal shows no control of a guest", async () => {
    const stdout = "\u009b6n\u009d52;c;ZXZpbA==\u009c"
    const { journal } = await on(["run", "debian:12", "--json", "--", "x"], {
      terminal: REAL_TERMINAL,
      run: () => Stream.make<Array<RunEvent>>({ _tag: "Output", from: "stdout", bytes: bytes(stdout) }, EXITED)
    })
    const out = journal.find((line) => line.startsWith("out "))!.slice("out ".length)
    assert.notMatch(out, /[\u007f-\u009f]/)
    assert.strictEqual((JSON.parse(out) as { readonly stdout: string }).stdout, stdout)
  })

  it("--json refuses a shell and --tty", async () => {
    for (const argv of [["run", "debian:12", "--json"], ["run", "debian:12", "--tty", "--json", "--", "x"]]) {
      const { journal, status } = await on(argv, { terminal: REAL_TERMINAL })
      assert.strictEqual(status, 2)
      assert.strictEqual(journal.length, 1)
      assert.match(journal[0] ?? "", /^out \{\n {2}"error": \{\n {4}"code": "invalid_request"/)
    }
  })

  it("the terminal is raw only while the guest's command runs", async () => {
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

  it("a hint is for people: --json has it neither beside the result nor among its warnings", async () => {
    const run = () => Stream.make<Array<RunEvent>>({ _tag: "Notice", level: "hint", message: "h" }, EXITED)
    const people = await on(["run", "debian:12", "--", "x"], { run })
    assert.include(people.journal, "err pyro: hint: h\n")
    const { journal } = await on(["run", "debian:12", "--json", "--", "x"], { run })
    assert.notInclude(journal.join(""), "hint")
    assert.match(journal.join(""), /"warnings":\[\]/)
  })

  it("a command on a terminal draws on the screen alone, without --raw", async () => {
    const pieces = ["a\u001b[1mb", "\u001b]52;c;", "ZXZpbA==\u0007c\u001b[6n", "\u001b]0;title\u0007d"]
    const outputs = pieces.map((piece) => ({ _tag: "Output", from: "stdout", bytes: bytes(piece), next: 1 }) as const)
    const shown = async (argv: ReadonlyArray<string>) => {
      const started = argv[0] === "run" ? { bootMs: 1 } : { execId: "0".repeat(32) }
      const events = [{ _tag: "Started", ...started }, ...outputs, { ...EXITED, durationMs: 1 }]
      const { journal } = await on(argv, {
        terminal: REAL_TERMINAL,
        run: () => Stream.fromIterable(events as ReadonlyArray<RunEvent>),
        answers: { "workspace.exec": events }
      })
      return journal.flatMap((line) => line.startsWith("out ") ? [line.slice("out ".length)] : []).join("")
    }
    for (const command of [["run", "debian:12"], ["workspace", "exec", "fix"]]) {
      assert.strictEqual(await shown([...command, "--tty", "--", "x"]), "a\u001b[1mbcd", command[0])
      // A shell gets a terminal of its own accord.
      assert.strictEqual(await shown(command), "a\u001b[1mbcd", command[0])
      for (const options of [["--tty", "--raw"], []]) {
        assert.strictEqual(await shown([...command, ...options, "--", "x"]), pieces.join(""), options.join(" "))
      }
    }
  })

  it("the guest gets no key before its command runs", async () => {
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

  it("run keeps the order of the guest's writes to stdout and stderr", async () => {
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

  it("a closed stdout ends the work", async () => {
    let ended = false
    const { journal, status } = await on(["run", "debian:12", "--", "yes"], {
      terminal: { writeStdout: () => new OutputClosed({ code: "EPIPE", isHungUp: false }) },
      run: () =>
        Stream.forever(Stream.succeed<RunEvent>({ _tag: "Output", from: "stdout", bytes: bytes("y\n") })).pipe(
          Stream.ensuring(Effect.sync(() => {
            ended = true
          }))
        )
    })
    assert.deepStrictEqual([status, ended, journal], [141, true, ["built"]])
  })

  it("a failing write to a hung-up terminal exits as SIGHUP does", async () => {
    const { journal, signal, status } = await on(["run", "debian:12", "--", "yes"], {
      terminal: { ...REAL_TERMINAL, writeStdout: () => new OutputClosed({ code: "EIO", isHungUp: true }) },
      run: () => Stream.forever(Stream.succeed<RunEvent>({ _tag: "Output", from: "stdout", bytes: bytes("y\n") }))
    })
    assert.deepStrictEqual([status, signal, journal], [129, "SIGHUP", ["built"]])
  })

  it("mcp serve refuses an option without its value", async () => {
    const { journal, status } = await on(["mcp", "serve", "--allow-export"])
    assert.deepStrictEqual([status, journal], [
      2,
      ["err pyro: --allow-export needs a value\nsee: pyro mcp serve --help\n"]
    ])
  })

  it("run exits with 125 if the events end without the command's end", async () => {
    const { journal, status } = await on(["run", "debian:12", "--", "x"], { run: () => Stream.empty })
    assert.strictEqual(status, 125)
    assert.match(journal[1] ?? "", /^err pyro: lost the channel to the guest/)
  })
})

describe("flags that name files", () => {
  const written = { path: "a", created: true, sizeBytes: 1, mode: "0644", version: "0123456789abcdef" }
  const write = (words: ReadonlyArray<string>, context: CallContext = {}) =>
    on(["workspace", "file", "write", "fix", "a", ...words], {
      answers: { "workspace.file.write": written },
      files: { "f": bytes("é\n"), "bin": new Uint8Array([0xff, 0]), "-": bytes("piped") },
      ...context
    })
  const wrong = async (...args: Parameters<typeof write>) => {
    const { called, journal, status } = await write(...args)
    assert.deepStrictEqual([status, called], [2, []])
    return journal.join("")
  }

  it.each([
    [["--text", "x"], { text: "x" }],
    [["--text-file", "f"], { text: "é\n" }],
    [["--text-file", "-"], { text: "piped" }]
  ])("file flags fill the payload: %j", async (words, fields) => {
    const { called, status } = await write(words)
    assert.deepStrictEqual([status, called], [0, [["workspace.file.write", {
      workspace: "fix",
      path: "a",
      ...fields
    }]]])
  })

  it.each([
    [["--from", "bin", "--mode", "755"], { mode: "755", append: false }, new Uint8Array([0xff, 0])],
    [["--append"], { append: true }, bytes("piped")]
  ])("bytes of any size are an upload: %j", async (words, fields, content) => {
    for (const command of ["write", "upload"]) {
      const sent: Array<Uint8Array> = []
      const { called, status } = await on(["workspace", "file", command, "fix", "a", ...words], {
        answers: {
          "workspace.file.upload": (_: unknown, { stdin = Stream.empty }: RunInput) =>
            Stream.concat(
              Stream.drain(Stream.tap(stdin, (piece) => Effect.sync(() => sent.push(piece)))),
              Stream.make({ _tag: "Ended", ...written })
            )
        },
        files: { "bin": new Uint8Array([0xff, 0]) },
        terminal: {
          openFile: (path) => Effect.succeed(Stream.make(path === "-" ? bytes("piped") : new Uint8Array([0xff, 0])))
        }
      })
      assert.deepStrictEqual([status, called], [0, [["workspace.file.upload", {
        workspace: "fix",
        path: "a",
        ...fields
      }]]])
      assert.deepStrictEqual(Buffer.concat(sent), Buffer.from(content))
    }
  })

  it("an upload fails with its file, and does not end with a part of it", async () => {
    const part = Stream.concat(
      Stream.make(bytes("part")),
      Stream.fail(new FileUnreadable({ detail: "bin cannot be read: EIO" }))
    )
    let ended = false
    const { journal, status } = await on(["workspace", "file", "write", "fix", "a", "--from", "bin"], {
      answers: {
        "workspace.file.upload": (_: unknown, { stdin = Stream.empty }: RunInput) =>
          Stream.concat(
            Stream.drain(stdin),
            Stream.fromEffect(Effect.sync(() => {
              ended = true
              return { _tag: "Ended", ...written }
            }))
          )
      },
      terminal: { openFile: () => Effect.succeed(part) }
    })
    assert.deepStrictEqual([status, ended], [2, false])
    assert.include(journal.join(""), "pyro: --from: bin cannot be read: EIO\n")
  })

  it("file read gives all bytes to a pipe, and lines to a terminal or where they are chosen", async () => {
    const file = {
      path: "a",
      text: "x\n",
      binary: false,
      lossy: false,
      truncated: false,
      sizeBytes: 2,
      mode: "0644",
      version: "0"
    }
    const events = [
      { _tag: "Opened", path: "a", sizeBytes: 2, mode: "0644", version: "0" },
      { _tag: "Output", bytes: bytes("all") },
      { _tag: "Ended", bytes: 2, changed: true }
    ]
    const read = (words: ReadonlyArray<string>, stdoutIsTerminal = false) =>
      on(["workspace", "file", "read", "fix", "a", ...words], {
        answers: { "workspace.file.read": file, "workspace.file.download": events },
        terminal: { stdoutIsTerminal }
      })
    const { called, journal, status } = await read(["--user", "agent"])
    assert.deepStrictEqual([status, called], [0, [["workspace.file.download", {
      workspace: "fix",
      path: "a",
      offset: 0,
      user: "agent"
    }]]])
    assert.deepStrictEqual(journal.slice(1), ["out all", "err pyro: a changed while it was read, or went\n"])
    const asLines: ReadonlyArray<Parameters<typeof read>> = [[[], true], [["--json"]], [["--max-bytes", "9"]], [[
      "--start-line",
      "1"
    ]]]
    for (const words of asLines) assert.strictEqual((await read(...words)).called[0]?.[0], "workspace.file.read")
  })

  it("file flags refuse unreadable files, files that are no text, and two sources", async () => {
    assert.include(await wrong(["--from", "none"]), "pyro: --from: none cannot be read: there is no such file\n")
    assert.include(await wrong(["--text-file", "bin"]), "pyro: --text-file: bin is not UTF-8\n")
    assert.include(await wrong(["--text", "x", "--from", "f"]), "pyro: --text and --from cannot be combined\n")
  })

  it("file flags do not wait for input from a terminal", async () => {
    assert.include(
      await wrong([], { terminal: { stdinIsTerminal: true } }),
      "pyro: give one of --text, --text-file, --from, or pipe something in\n"
    )
    assert.include(await wrong([], { terminal: { stdinIsNull: true } }), "pyro: give one of --text")
  })

  it("--output - is refused with --json", async () => {
    for (const words of [["file", "read", "fix", "a"], ["export", "fix", "a"], ["export", "fix", "--patch"]]) {
      const { called, journal, status } = await on(["workspace", ...words, "--output", "-", "--json"])
      assert.deepStrictEqual([status, called], [2, []])
      assert.include(journal.join(""), "--output: - cannot be combined with --json: both are stdout")
    }
  })

  it("--name-status shows the status of each file and requests no patch", async () => {
    const files = [
      { path: "new", status: "added", size: 1 },
      { path: "gone", status: "deleted", size: 1 },
      { path: "edited", status: "modified", size: 1 },
      { path: "after", from: "before", status: "renamed", size: 1 },
      { path: "link", status: "type_changed", size: 1 }
    ]
    const summary = { files: 5, added: 1, modified: 1, deleted: 1, renamed: 1, typeChanged: 1 }
    const answer = { summary, files, unlisted: 0, ignoredCount: 0, specialCount: 0, verified: false }
    for (const [name, words] of [["diff", ["fix"]], ["compare", ["one", "two"]]] as const) {
      const { called, journal } = await on(["workspace", name, ...words, "--name-status"], {
        answers: { [`workspace.${name}`]: answer }
      })
      assert.deepInclude(called[0]?.[1], { nameOnly: true })
      assert.include(journal.join(""), "A\tnew\nD\tgone\nM\tedited\nR100\tbefore\tafter\nT\tlink\n")
    }
  })

  it("file read --output exports the file instead of showing it", async () => {
    const { called, status } = await on(["workspace", "file", "read", "fix", "a", "--output", "x", "--overwrite"], {
      answers: {
        "workspace.export": {
          _tag: "Exported",
          summary: { output: "/here/x", kind: "file", files: 1, bytes: 1, skipped: [], warnings: [] }
        }
      }
    })
    assert.strictEqual(status, 0)
    assert.strictEqual(called[0]?.[0], "workspace.export")
    assert.deepInclude(called[0]?.[1], {
      workspace: "fix",
      path: "a",
      output: "/here/x",
      overwrite: true,
      allowExecutableConfig: false
    })
  })

  it("file read --output refuses a range of lines", async () => {
    const { journal, status } = await on([
      "workspace",
      "file",
      "read",
      "fix",
      "a",
      "--output",
      "x",
      "--start-line",
      "2"
    ])
    assert.strictEqual(status, 2)
    assert.include(journal.join(""), "pyro: --start-line: cannot be combined with --output\n")
  })
})

describe("what is said beside the result", () => {
  const ready = {
    _tag: "Ready",
    workspace: { id: "ws-0123456789", name: "fix", environment: "debian:12", state: "running", labels: {} }
  }
  const create = (...words: ReadonlyArray<string>) =>
    on(["workspace", "create", ...words], { answers: { "workspace.create": ready } })

  it("notes on stderr name the next command", async () => {
    const { journal } = await create()
    assert.deepStrictEqual(journal, [
      "built",
      "out ws-0123456789\n",
      "err fix is ready. Use it: pyro exec fix ls\n"
    ])
  })

  it.each(["--quiet", "--id-only"])("%s suppresses the notes on stderr", async (flag) => {
    const { journal } = await create(flag)
    assert.deepStrictEqual(journal, ["built", "out ws-0123456789\n"])
  })

  it("--quiet suppresses progress and warnings, and none of the guest's output", async () => {
    const { journal } = await on(["run", "debian:12", "--quiet", "--", "x"], {
      run: () =>
        Stream.make<Array<RunEvent>>(
          { _tag: "Notice", level: "warning", message: "w" },
          { _tag: "Notice", level: "progress", message: "p" },
          { _tag: "Output", from: "stderr", bytes: bytes("x") },
          EXITED
        )
    })
    assert.deepStrictEqual(journal, ["built", "err x"])
  })
})
