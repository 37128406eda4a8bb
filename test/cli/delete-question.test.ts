import { spawn } from "node-pty"
import { assert, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { eventually, leadingTerminal, onTerminal, run } from "./cli-process.ts"

const binary = buildFake()

/** What a terminal shows of `workspace delete --all` when somebody answers its question, and how it ends. */
const answered = async (answer: string) => {
  const env = { ...process.env, ...binary.env } as Record<string, string>
  const terminal = spawn(process.execPath, [binary.entry, "workspace", "delete", "--all"], { cols: 200, rows: 30, env })
  let screen = ""
  terminal.onData((text) => {
    screen += text
  })
  const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)))
  await eventually("the question", () => screen.includes("[y/N] "), () => screen)
  terminal.write(`${answer}\r`)
  return { status: await ended, screen }
}

describe("workspace delete --all on a terminal", () => {
  it("delete --all deletes only after the answer yes", async () => {
    await run(binary, ["workspace", "create", "--name", "fix"])
    const no = await answered("")
    assert.strictEqual(no.status, 1)
    assert.include(
      no.screen,
      "Delete the workspace (fix) with everything in it? 1 saved snapshot will stay (pyro saved list). [y/N] "
    )
    assert.include(no.screen, "nothing was deleted")
    const yes = await answered("y")
    assert.strictEqual(yes.status, 0)
    assert.include(yes.screen, "deleted fix")
    const { stdout } = await run(binary, ["workspace", "list", "--id-only"])
    assert.strictEqual(stdout.toString(), "")
  })

  it.each([
    ["the answer n", "n\r", 1],
    ["the end of the input", "\u0004", 1],
    ["Ctrl-C", "\u0003", 130],
    ["Ctrl-C behind an answer", "y\u0003", 130]
  ])("%s ends delete --all, and deletes nothing", async (_, keys, status) => {
    await run(binary, ["workspace", "create", "--name", "kept"])
    const { ended, screen, terminal } = onTerminal(binary, `"$@"`, ["workspace", "delete", "--all"])
    await eventually("the question", () => screen().includes("[y/N] "), screen)
    terminal.write(keys)
    assert.strictEqual(await ended, status)
    assert.include((await run(binary, ["workspace", "list"])).stdout.toString(), "kept")
  })

  it("a terminal that hangs up ends delete --all, and deletes nothing", async () => {
    await run(binary, ["workspace", "create", "--name", "kept"])
    const { ended, screen, terminal } = leadingTerminal(binary, ["workspace", "delete", "--all"])
    await eventually("the question", () => screen().includes("[y/N] "), screen) // Closes this end of it.
    ;(terminal as unknown as { readonly destroy: () => void }).destroy()
    assert.oneOf(await ended, [1, 129])
    assert.include((await run(binary, ["workspace", "list"])).stdout.toString(), "kept")
  })

  it("an answer that is typed before the question ends delete --all", async () => {
    await run(binary, ["workspace", "create", "--name", "kept"])
    const { ended, screen, terminal } = onTerminal(binary, `"$@"`, ["workspace", "delete", "--all"])
    terminal.write("n\r")
    assert.strictEqual(await ended, 1)
    assert.include(screen(), "nothing was deleted")
  })
})
