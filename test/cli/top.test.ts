import { assert, beforeAll, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { eventually, onTerminal, run, start } from "./cli-process.ts"

const binary = buildFake()

describe("top", () => {
  it("top prints one table if stdout is no terminal", async () => {
    const { status, stderr, stdout } = await run(binary, ["top"])
    assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
    assert.deepStrictEqual(stdout.toString().split("\n").map((line) => line.split(/\s{2,}/)), [
      ["ID", "NAME", "STATE", "CPU", "MEMORY", "SHARED", "DISK", "EXECS", "SERVICES", "SHELLS", "PORTS"],
      ["ws-0000000001", "fix", "running", "12.3%", "64 MiB", "16 MiB", "1 MiB", "1", "2", "3", "4"],
      [""]
    ])
  })

  it("top --json prints one table as one document", async () => {
    const { stdout } = await run(binary, ["top", "--json"])
    assert.deepInclude(JSON.parse(stdout.toString()).workspaces[0], { name: "fix", cpu_percent: 12.3 })
  })

  it.each([["q", "q"], ["Ctrl-C", "\u0003"]])(
    "%s ends the display of top, and the terminal is as before",
    async (_, key) => {
      const { ended, screen, terminal } = onTerminal(binary, `stty -g; "$@"; stty -g`, ["top"])
      await eventually("the table", () => screen().includes("ws-0000000001"), screen)
      assert.include(screen(), "  1 workspace  (q to leave)")
      terminal.write(key)
      assert.strictEqual(await ended, 0)
      const [before, after] = screen().match(/[0-9a-f]+(:[0-9a-f]+){10,}/g) ?? []
      assert.isDefined(before)
      assert.strictEqual(after, before)
      const left = screen().indexOf("\u001b[?25h\u001b[?1049l")
      assert.isAbove(left, screen().lastIndexOf("ws-0000000001"))
      assert.isBelow(screen().indexOf("\u001b[?1049h"), screen().indexOf("ws-0000000001"))
    }
  )

  it("a signal ends the display of top, and the terminal is as before", async () => {
    const { ended, screen } = onTerminal(binary, `"$@" & echo "pid=$!"; wait $!`, ["top"])
    await eventually("the table", () => screen().includes("ws-0000000001"), screen)
    process.kill(Number(/pid=(\d+)/.exec(screen())![1]), "SIGTERM")
    await ended
    assert.include(screen(), "\u001b[?25h\u001b[?1049l")
  })
})

describe("timeline", () => {
  it("timeline prints a line for each entry, escapes its text, and indents its further lines", async () => {
    const { status, stdout } = await run(binary, ["timeline", "fix"])
    assert.strictEqual(status, 0)
    assert.deepStrictEqual(stdout.toString().split("\n"), [
      "2025-01-02T03:04:05.000Z  created\\x1b[31m",
      "    and more",
      "2025-01-02T03:04:05.000Z  command\\x1b[31m",
      "    and more",
      ""
    ])
  })

  it("timeline --json prints one document, and a follower prints one entry a line", async () => {
    const { stdout } = await run(binary, ["timeline", "fix", "--json"])
    assert.lengthOf(JSON.parse(stdout.toString()).entries, 2)
    const { child, ended, printed } = start(binary, ["timeline", "fix", "--json", "--follow"])
    await eventually("two lines", () => printed().split("\n").length === 3, printed)
    const kinds = printed().trim().split("\n").map((line) => (JSON.parse(line) as { readonly kind: string }).kind)
    assert.deepStrictEqual(kinds, ["created", "command"])
    child.kill("SIGINT")
    await ended
  })
})

describe("top --follow", () => {
  beforeAll(() => run(binary, ["workspace", "create", "--name", "fix"]))

  it("top --follow prints a line for each workspace that changes, until a signal", async () => {
    const { child, ended, printed } = start(binary, ["top", "--follow"])
    await eventually("two lines", () => printed().split("\n").length === 3, printed)
    assert.deepStrictEqual(printed().split("\n"), [
      "2025-01-02T03:04:05.000Z  fix  running  12.3%  64 MiB  make $'te\\x1bst': exited 2",
      "2025-01-02T03:04:05.000Z  ws-0000000009  deleted",
      ""
    ])
    child.kill("SIGINT")
    await ended
  })

  it("top --follow --json prints one event a line", async () => {
    const { child, ended, printed } = start(binary, ["top", "-f", "--json"])
    await eventually("a line", () => printed().includes("\n"), printed)
    const { gone, workspaces } = JSON.parse(printed()) as {
      readonly gone: ReadonlyArray<string>
      readonly workspaces: ReadonlyArray<{ readonly last_command: { readonly status: number } }>
    }
    assert.deepStrictEqual(gone, ["ws-0000000009"])
    assert.strictEqual(workspaces[0]!.last_command.status, 2)
    child.kill("SIGINT")
    await ended
  })
})

describe("the words for two views that are parts of others", () => {
  it.each([["events", "timeline"], ["watch", "top"]])("pyro %s leads to pyro %s, with status 2", async (word, own) => {
    for (const argv of [[word, "fix"], ["workspace", word], [word, "--help"]]) {
      const { status, stderr } = await run(binary, argv)
      assert.strictEqual(status, 2)
      assert.match(stderr, new RegExp(`no command ".*${word}". Did you mean "(pyro )?${own}"\\?`))
    }
  })
})
