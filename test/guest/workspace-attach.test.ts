import * as fs from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { checkedTerminal } from "../support/cli/checked-terminal.ts"
import { installation } from "../support/installation.ts"
import { pyroPath } from "../support/pyro-cli.ts"

const pyro = installation("pyro-attach-")
const { call, create, daemonPid, env, failure, json, status, step } = pyro
beforeAll(() => create(["--name", "w"]))
afterAll(pyro.close)

const DETACH = "\x1d"

/** `pyro attach` on a terminal. `before`: what the shell around it does first. */
const attachedAfter = (before: string, ...args: ReadonlyArray<string>) =>
  checkedTerminal(["workspace", "attach", ...args], { env, before })

const attached = (...args: ReadonlyArray<string>) => attachedAfter("", ...args)

const shells = async () =>
  (await json<{ readonly shells: ReadonlyArray<{ readonly shell_id: string; readonly outcome: string }> }>(
    ["workspace", "shell", "list", "w"]
  )).shells

/** Process of a pyro that is attached: the one child of its terminal's shell. */
const pidOf = (terminal: { readonly pid: number }) => {
  const children = (pid: number) =>
    fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter((one) => one !== "").map(Number)
  const all = [terminal.pid, ...children(terminal.pid), ...children(terminal.pid).flatMap(children)]
  return all.find((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[1] === pyroPath)!
}

/** Whether reads of a process's stdin return at once without input, so that they stop none of its other work. */
const readsWithoutWaiting = (pid: number) => {
  const [, flags] = /^flags:\s*([0-7]+)$/m.exec(fs.readFileSync(`/proc/${pid}/fdinfo/0`, "utf8")) ?? []
  return (parseInt(flags!, 8) & fs.constants.O_NONBLOCK) !== 0
}

describe("a terminal that is attached to a shell", { concurrent: false }, () => {
  it("attach opens a shell, follows the window, detaches by a key, and paints the screen when it returns", async () => {
    const first = attached("w")
    await first.seen("/workspace# ")
    await first.seen("\x1b[0;7m ctrl-] detaches \x1b[0m")
    first.terminal.write("x=6; stty size; echo answer $((x*7))\r")
    await first.seen("30 100")
    await first.seen("answer 42")
    // Before a prompt bash reads the size and sets this size again, which undoes a change in between.
    await first.seen("/workspace# ", first.screen().indexOf("answer 42"))
    first.terminal.resize(77, 22)
    const before = first.screen().length
    // The signal of the new size and the keys take two ways.
    first.terminal.write("until stty size | grep '22 7[7]'; do sleep 0.1; done\r")
    await first.seen("22 77", before)
    assert.isTrue(readsWithoutWaiting(pidOf(first.terminal)))
    first.terminal.write(DETACH)
    assert.strictEqual(await first.ended, 0)
    assert.match(
      first.screen(),
      /detached; the shell goes on\. Return: pyro attach w [0-9a-f]{8}[^]*modes restored/
    )
    const [shell] = await shells()
    assert.strictEqual(shell?.outcome, "running")

    const id = shell!.shell_id.slice(0, 8)
    const second = attached("w", id, "--detach-key", "ctrl-q")
    await second.seen("answer 42")
    const third = attached("w", id)
    await third.seen("answer 42")
    second.terminal.write("echo both $x see\r")
    await second.seen("both 6 see")
    await third.seen("both 6 see")
    second.terminal.write("\x11")
    assert.strictEqual(await second.ended, 0)
    third.terminal.write("exit 7\r")
    assert.strictEqual(await third.ended, 7)
    assert.include(third.screen(), "modes restored")
  })

  it("an attached terminal goes on after the daemon's death, and is restored after pyro's own", async () => {
    const openShells = async () => (await status("w") as { readonly shells?: number }).shells ?? 0
    const already = await openShells()
    const one = attached("w")
    await one.seen("/workspace# ")
    one.terminal.write("echo before $((40+2))\r")
    await one.seen("before 42")
    process.kill(await daemonPid(), "SIGKILL")
    // The screen is painted again.
    const lost = one.screen().length
    await one.seen("before 42", lost)
    one.terminal.write("echo after $((40+3))\r")
    await one.seen("after 43")
    one.terminal.write("printf '\\033[?1049h'; echo full $((40+4)); cat\r")
    await one.seen("full 44")
    process.kill(pidOf(one.terminal), "SIGKILL")
    assert.strictEqual(await one.ended, 137)
    assert.match(one.screen(), /full 44[^]*\x1b\[\?1049l[^]*modes restored/)
    assert.strictEqual((await shells()).at(-1)?.outcome, "running")
    assert.strictEqual(await openShells(), already + 1)
  })

  it("attach without a terminal, or to a shell that has ended, is refused", async () => {
    const ended = (await shells()).find(({ outcome }) => outcome === "exited")
    const refused = attached("w", ended!.shell_id)
    assert.strictEqual(await refused.ended, 125)
    assert.match(refused.screen(), /has ended: its program exited, status 7[^]*modes restored/)
    assert.deepInclude(await failure(["workspace", "attach", "w"]), { code: "invalid_request", field: "--json" })
    const { code, stderr } = await call(["workspace", "attach", "w"])
    assert.strictEqual(code, 2)
    assert.include(stderr, "pyro shell open w\n")
  })

  it("a terminal without a size is one of 80 by 24, and the message at the end of the VM begins on a new line", async () => {
    const one = attachedAfter("stty cols 0 rows 0; ", "w")
    await one.seen("/workspace# ")
    one.terminal.write("stty size\r")
    await one.seen("24 80")
    one.terminal.write("printf '%s' half$((40+2))\r")
    await one.seen("half42")
    await step("stop", "w")
    assert.strictEqual(await one.ended, 125)
    assert.match(one.screen(), /\npyro: [^]*modes restored/)
    assert.notInclude(one.screen(), "# pyro:")
  })
})
