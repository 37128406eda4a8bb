import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { onTerminal } from "../cli/cli-process.ts"
import { installation } from "../support/installation.ts"
import { pyroPath, until } from "../support/pyro-cli.ts"

const pyro = installation("pyro-terminal-")
const { create, env, sh } = pyro
beforeAll(() => create(["--name", "w"]))
afterAll(pyro.close)

/** `pyro exec --tty` on a terminal of 30 rows and 100 columns. */
const onTty = (...command: ReadonlyArray<string>) => {
  const args = ["workspace", "exec", "w", "--tty", "--", ...command]
  const { ended, screen, terminal } = onTerminal({ entry: pyroPath, env }, `exec "$@"`, args)
  const seen = async (what: string) => {
    await until(
      () => `${JSON.stringify(what)} on the screen, which has ${JSON.stringify(screen())}`,
      () => screen().includes(what)
    )
  }
  return { ended, screen, seen, terminal } as const
}

describe("a command on a terminal", () => {
  it("a command on a terminal has the caller's window size and its changes", async () => {
    const { ended, seen, terminal } = onTty(
      "sh",
      "-c",
      "trap 'echo now $(stty size)' WINCH; echo at first $(stty size); while [ ! -e /tmp/enough ]; do sleep 0.1; done"
    )
    await seen("at first 30 100")
    terminal.resize(77, 22)
    await seen("now 22 77")
    terminal.resize(120, 50)
    await seen("now 50 120")
    await sh("w", "touch /tmp/enough")
    assert.strictEqual(await ended, 0)
  })

  it("a terminal session echoes input and reads it once", async () => {
    const { ended, screen, seen, terminal } = onTty(
      "sh",
      "-c",
      "tty; echo ready; read line; echo \"got <$line>\"; exit 7"
    )
    await seen("ready")
    terminal.write("hello\r")
    await seen("got <hello>")
    assert.strictEqual(await ended, 7)
    assert.match(screen(), /\/dev\/(pts|tty|console)\S*\r\n/)
    assert.strictEqual(screen().split("hello").length - 1, 2, screen())
  })

  it("a program that reads a secret gets it without an echo", async () => {
    const { ended, screen, seen, terminal } = onTty(
      "sh",
      "-c",
      "stty -echo; echo password:; read line; stty echo; echo \"${#line} characters\""
    )
    await seen("password:")
    terminal.write("tiger\r")
    await seen("5 characters")
    assert.strictEqual(await ended, 0)
    assert.notInclude(screen(), "tiger")
  })

  it("Ctrl-C reaches the foreground program only, and the shell goes on", async () => {
    const { ended, seen, terminal } = onTty("sh", "-i")
    await seen("# ")
    terminal.write("sleep 7771; echo status $?\r")
    await until("the sleep", async () => (await sh("w", "pgrep -fc '[s]leep 7771' || true")) !== "0")
    terminal.write("\x03")
    await until("its end", async () => (await sh("w", "pgrep -fc '[s]leep 7771' || true")) === "0")
    terminal.write("echo still $((40 + 2))\r")
    await seen("still 42")
    terminal.write("exit 5\r")
    assert.strictEqual(await ended, 5)
  })

  it("Ctrl-C ends a program that does not handle it, with the signal's status", async () => {
    const { ended, seen, terminal } = onTty("sh", "-c", "echo ready; exec sleep 7772")
    await seen("ready")
    terminal.write("\x03")
    assert.strictEqual(await ended, 130)
    assert.strictEqual(await sh("w", "pgrep -fc '[s]leep 7772' || true"), "0")
  })

  it("a terminal session restores the caller's terminal", async () => {
    const args = ["workspace", "exec", "w", "--tty", "--", "sh", "-c", "stty raw -echo"]
    const line = `before=$(stty -g); "$@"; [ "$before" = "$(stty -g)" ] && echo same as before`
    const { ended, screen } = onTerminal({ entry: pyroPath, env }, line, args)
    assert.strictEqual(await ended, 0)
    assert.include(screen(), "same as before")
  })

  it("a terminal session passes 1 MiB of bytes whole", async () => {
    const { ended, screen } = onTty("sh", "-c", "stty -onlcr; yes 0123456789abcde | head -c 1048576; echo end")
    assert.strictEqual(await ended, 0)
    const text = screen().replace(/\r\n/g, "\n")
    const sent = "0123456789abcde\n".repeat(65_536) + "end\n"
    assert.strictEqual(text.slice(0, sent.length), sent)
    // What follows are the terminal's modes, as they were.
    assert.match(text.slice(sent.length), /^\u001b<\u001b\[!p[^\n]*$/)
  })
})
