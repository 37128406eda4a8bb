import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { snapshots } from "../support/workspace/snapshots.ts"

const pyro = installation("pyro-shell-")
const { call, create, daemonPid, failure, json, sh, status, step } = pyro
const { fork, snapshot } = snapshots(pyro)
beforeAll(() => create(["--name", "w"]))
afterAll(pyro.close)

interface Screen {
  readonly shell_id: string
  readonly outcome: string
  readonly output: string
  readonly next_cursor: number
  readonly truncated: boolean
  readonly alternate?: boolean
  readonly waited?: string
  readonly cols?: number
}

const inShell = (workspace: string) => <A = Screen>(verb: string, ...args: ReadonlyArray<string>) =>
  json<A>(["workspace", "shell", verb, workspace, ...args])
const shell = inShell("w")

const opened = async (...args: ReadonlyArray<string>) => (await shell("open", ...args)).shell_id

const read = (id: string, cursor: number, ...args: ReadonlyArray<string>) =>
  shell("read", id, "--plain", "--cursor", String(cursor), ...args)

const typed = async (id: string, ...args: ReadonlyArray<string>) =>
  (await shell<{ readonly cursor: number }>("write", id, ...args)).cursor

/** Types, and gives the screen once it has a text. */
const seen = async (id: string, wanted: string, ...args: ReadonlyArray<string>) => {
  const screen = await read(id, await typed(id, ...args), "--wait-for", wanted)
  assert.strictEqual(screen.waited, "found", screen.output)
  return screen
}

const ENTER = ["--key", "enter"]

const openShells = async (workspace = "w") => (await status(workspace) as { readonly shells?: number }).shells ?? 0

describe("a shell of a workspace", { concurrent: false }, () => {
  it("a shell stays open over many requests, and shows what a person sees", async () => {
    const id = await opened()
    assert.strictEqual(await openShells(), 1)
    await seen(id, "value is 42", "--input", "x=42; cd /tmp; echo value is $x", ...ENTER)
    const bar = "for n in 1 50 100; do printf '\\r%3d%%' $n; sleep 0.05; done; echo; echo done in $PWD"
    const { output } = await seen(id, "done in /tmp", "--input", bar, ...ENTER)
    assert.match(output, /\n100%\ndone in \/tmp/)
    assert.notInclude(output, " 50%")
    const { commands } = await json<{ readonly commands: ReadonlyArray<unknown> }>(["workspace", "logs", "w"])
    assert.lengthOf(commands, 0)
    assert.strictEqual((await shell("close", id)).outcome, "signaled")
    assert.strictEqual(await openShells(), 0)
    assert.strictEqual((await failure(["workspace", "shell", "write", "w", id, "--input", "x"])).code, "shell_ended")
    assert.include((await read(id, 0)).output, "value is 42")
  })

  it("a Python prompt and a full-screen program are rendered, and follow keys and sizes", async () => {
    const python = await opened("--", "python3", "-q")
    await seen(python, "漢字 42", "--input", "print('漢字', 6*7)\n")
    await seen(python, "KeyboardInterrupt", "--input", "half a line", "--key", "ctrl-c")
    await typed(python, "--key", "ctrl-d")
    const ended = await read(python, 0, "--wait-for", "never printed")
    assert.deepStrictEqual([ended.waited, ended.outcome], ["ended", "exited"])

    await sh("w", "seq 1 200 | sed 's/^/row /' > /tmp/rows")
    const less = await opened("--cols", "40", "--rows", "10", "--", "less", "/tmp/rows")
    const first = await read(less, 0, "--wait-for", "row 9")
    assert.isTrue(first.alternate)
    assert.lengthOf(first.output.split("\n"), 10)
    const down = await seen(less, "row 12", "--key", "down", "--key", "down", "--key", "down")
    assert.notMatch(down.output, /row 3\n/)
    await seen(less, "row 21", "--key", "page-down")
    assert.strictEqual((await shell("resize", less, "--cols", "50", "--rows", "20")).cols, 50)
    const grown = await read(less, 0, "--wait-for", "row 31")
    assert.isAtLeast(grown.output.split("\n").length, 19)
    await typed(less, "--input", "q", "--no-newline")
    await until("the end of less", async () => await openShells() === 0)
  })

  it("wrong sizes, keys and programs are refused, and leave no shell", async () => {
    for (const size of [["--cols", "0"], ["--rows", "0"], ["--cols", "1001"], ["--rows", "2147483647"]]) {
      assert.strictEqual((await failure(["workspace", "shell", "open", "w", ...size])).code, "invalid_request")
    }
    assert.strictEqual((await failure(["workspace", "shell", "read", "w", "0123"])).code, "shell_not_found")
    assert.strictEqual(await openShells(), 0)
  })

  it("a shell goes on after the daemon's death, in a snapshot and in a fork, with its screen", async () => {
    const id = await opened()
    await seen(id, "kept 1", "--input", "n=1; echo kept $n", ...ENTER)
    await shell("resize", id, "--cols", "100", "--rows", "30")
    const waiting = call(["workspace", "shell", "read", "w", id, "--plain", "--wait-for", "kept 2"])
    process.kill(await daemonPid(), "SIGKILL")
    const { output } = await seen(id, "kept 2", "--input", "n=$((n+1)); echo kept $n", ...ENTER)
    assert.include(output, "echo kept $n")
    assert.include((await read(id, 0)).output, "kept 1")
    // Whether the request went on with the next daemon or failed: it ended.
    await waiting

    await snapshot("w", "s")
    const [copy] = await fork("w", "--name", "copy")
    assert.isDefined(copy)
    const there = inShell("copy")
    assert.strictEqual(await openShells("copy"), 1)
    assert.match((await there("read", id, "--plain")).output, /kept 1[^]*kept 2/)
    await there("write", id, "--input", "echo fork $n", ...ENTER)
    assert.strictEqual((await there("read", id, "--plain", "--wait-for", "fork 2")).waited, "found")
    await seen(id, "kept 3", "--input", "n=$((n+1)); echo kept $n", ...ENTER)

    await json(["workspace", "reset", "w", "--snapshot", "s"])
    await seen(id, "back at 2", "--input", "echo back at $n", ...ENTER)
    assert.notInclude((await read(id, 0)).output, "kept 3")
    const { shells } = await shell<{ readonly shells: ReadonlyArray<Screen> }>("list")
    assert.deepStrictEqual(shells.map(({ cols, outcome, shell_id }) => [shell_id, outcome, cols]), [[
      id,
      "running",
      100
    ]])

    await step("reset", "w")
    assert.lengthOf((await shell<{ readonly shells: ReadonlyArray<Screen> }>("list")).shells, 0)
  })
})
