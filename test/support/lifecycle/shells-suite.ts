import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { until } from "../pyro-cli.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

interface Shell {
  readonly shellId: string
  readonly outcome: string
  readonly output: string
  readonly nextCursor: number
  readonly waited?: string
  readonly alternate?: boolean
}

const SECRET = "correct-horse-battery-staple"

/** Draws a menu on the whole screen, follows the arrow keys and the size, and ends at `q`. */
const MENU = `import curses
def main(screen):
  curses.curs_set(0)
  rows, at = ["one", "two", "漢字"], 0
  while True:
    screen.erase()
    screen.border()
    screen.addstr(0, 2, "%dx%d" % screen.getmaxyx()[::-1])
    for n, row in enumerate(rows): screen.addstr(n + 1, 2, ("> " if n == at else "  ") + row)
    screen.refresh()
    key = screen.getch()
    if key == ord("q"): break
    if key == curses.KEY_DOWN: at = min(at + 1, 2)
    if key == curses.KEY_UP: at = max(at - 1, 0)
    if key == curses.KEY_END: at = 2
curses.wrapper(main)`

/** Writes for ever what an emulator may grow with or be slow at, with a new text for each piece. */
const HOSTILE = `import itertools, os
for n in itertools.count():
  link = "".join("\\033]8;;http://x/%d-%d\\007X\\033]8;;\\007\\r" % (n, m) for m in range(50))
  marks = "a" + "\\u0301" * 2000
  work = "\\033[2147483647b\\033[?2J\\033[2147483647L\\033[1'}\\033c" * 20
  strings = "\\033]0;%s\\007\\033]52;c;%s\\007\\033Pq%s\\033\\\\" % ("t" * 500, "c" * 500, "!2147483647~" * 50)
  os.write(1, (link + marks + work + strings).encode() + b"\\xff\\xc3(\\x9b31m")`

/** Shells of workspaces, whatever the VMM. */
export const shellsSuite = (name: string, driver: LifecycleDriver) => {
  let client: WorkspacesClient
  beforeAll(async () => {
    client = await driver.open()
    await operations(() => client).create("a")
  })
  afterAll(() => driver.close(client))

  const { call, remove, sh } = operations(() => client)
  const open = async (command: ReadonlyArray<string>, options: object = {}) =>
    (await call<Shell>("shell-open", { workspace: "a", command, ...options })).shellId
  const read = (shell_id: string, options: object = {}) =>
    call<Shell>("shell-read", { workspace: "a", shell_id, plain: true, ...options })
  const write = (shell_id: string, input: string, keys: ReadonlyArray<string> = []) =>
    call<{ readonly cursor: number }>("shell-write", { workspace: "a", shell_id, input, keys, no_newline: true })
  const close = (shell_id: string) => call<Shell>("shell-close", { workspace: "a", shell_id })
  const failure = (work: Promise<unknown>) => work.then(() => "it succeeded", String)
  /** The screen once it has a text. */
  const shows = async (shell: string, wanted: string, cursor = 0) => {
    const screen = await read(shell, { cursor, wait_for: wanted })
    assert.strictEqual(screen.waited, "found", screen.output)
    return screen
  }
  const openShells = async () => (await call<{ readonly shells?: number }>("status", { workspace: "a" })).shells ?? 0

  describe(`shells over ${name}`, { concurrent: false }, () => {
    it("a full-screen program shows its screen, follows keys and sizes, and gives the lines from before back", async () => {
      const shell = await open(["bash", "--norc"], { cols: 30, rows: 6, env: { PS1: "at> " } })
      await shows(shell, "at>")
      await write(shell, "echo before; python3 -c \"$MENU\"\n".replace("$MENU", MENU.replaceAll("\"", "\\\"")))
      const first = await shows(shell, "> one")
      assert.isTrue(first.alternate)
      assert.match(first.output, /30x6[^]*\n. {3}two[^]*\n. {3}漢字/)
      await write(shell, "", ["down"])
      await shows(shell, "> two")
      await write(shell, "", ["end"])
      await shows(shell, "> 漢字")
      await call("shell-resize", { workspace: "a", shell_id: shell, cols: 40, rows: 8 })
      await shows(shell, "40x8")
      const cursor = (await write(shell, "q")).cursor
      const after = await shows(shell, "at>", cursor)
      assert.notProperty(after, "alternate")
      assert.match((await read(shell)).output, /before\n/)
      await close(shell)
    })

    it("bash edits its line, and finds earlier ones", async () => {
      const shell = await open(["bash", "--norc"], { env: { PS1: "at> ", HISTFILE: "/dev/null" } })
      await shows(shell, "at>")
      await write(shell, "echo $((6*7)) first\n")
      // Between two prompts the terminal itself takes backspace and Ctrl-R.
      await shows(shell, "42 first\nat>")
      await write(shell, "", ["up", "ctrl-a", ...Array<string>(9).fill("right"), "backspace"])
      await write(shell, "2+2", ["enter"])
      await shows(shell, "16 first\nat>")
      const { cursor } = await write(shell, "fir")
      // Ctrl-C takes back what bash has not read, and bash may be about to read it: it would wait for a key.
      await shows(shell, "at> fir", cursor)
      await write(shell, "", ["ctrl-c"])
      await shows(shell, "fir^C\nat>", cursor)
      await write(shell, "", ["ctrl-r"])
      await write(shell, "6*7")
      await shows(shell, "(reverse-i-search)`6*7'", cursor)
      await write(shell, "", ["enter"])
      await shows(shell, "42 first", cursor)
      await close(shell)
    })

    it("input is a line that Enter ends, unless keys follow or the caller wants no newline", async () => {
      const shell = await open(["sh", "-c", "stty raw -echo; echo ready; exec cat -A"])
      await shows(shell, "ready")
      const type = (more: object) => call("shell-write", { workspace: "a", shell_id: shell, ...more })
      await type({ input: "one" })
      await type({ input: "two\n" })
      await type({ input: "three", no_newline: true })
      await type({ input: "four", keys: ["tab"] })
      await type({ keys: ["enter"] })
      await type({ input: "end" })
      // A terminal in raw mode hands Enter through as it is.
      assert.include((await shows(shell, "end^M")).output.replace(/\s/g, ""), "one^Mtwo^Mthreefour^I^Mend^M")
      await close(shell)
    })

    it("bytes that are not UTF-8 come back as they are, and the screen shows signs for them", async () => {
      const shell = await open(["sh", "-c", "stty raw; printf '\\377\\303(\\233a'; exec sleep 600"])
      assert.strictEqual((await shows(shell, "a")).output, "\ufffd\ufffd(\ufffda")
      const raw = await read(shell, { plain: false, encoding: "base64" })
      assert.strictEqual(raw.output, Buffer.from([0xff, 0xc3, 0x28, 0x9b, 0x61]).toString("base64"))
      await close(shell)
    })

    it("the input of a client that no program reads holds up no other client, and a failed input does not come later", async () => {
      const script =
        "stty raw -echo; echo ready; until [ -e go ]; do sleep 0.05; done; head -c 1048576 | wc -c; exec cat -A"
      const shell = await open(["sh", "-c", script])
      await shows(shell, "ready")
      await call("shell-attach", { workspace: "a", shellId: shell, input: "x".repeat(1_048_576) })
      assert.match(await failure(write(shell, "late")), /the terminal took 0 of 4 bytes.*workspace\.shell\.signal/)
      await sh("a", "touch go")
      await shows(shell, "1048576")
      await write(shell, "in time", ["enter"])
      await shows(shell, "in time^M")
      assert.notInclude((await read(shell)).output, "late")
      await close(shell)
    })

    it("a secret that a program draws piece by piece is replaced in the screen", async () => {
      await call("update", { workspace: "a", secrets: { TOKEN: SECRET } })
      const draw = [
        "half=${TOKEN#??????????????}; printf '%s\\n' \"a ${TOKEN%$half}\"",
        "printf '\\033[1A\\033[17G%s\\nend\\n' \"$half\"; sleep 600"
      ]
      const shell = await open(["sh", "-c", draw.join("; ")], { cols: 20, rows: 6, secret_env: ["TOKEN"] })
      const { output } = await shows(shell, "end")
      assert.include(output, "[secret:TOKEN]")
      assert.notInclude(output.replaceAll("\n", ""), SECRET)
      await close(shell)
      await call("update", { workspace: "a", clear_secrets: ["TOKEN"] })
    })

    it("a paste of 1 MiB arrives whole", async () => {
      const shell = await open(["sh", "-c", "stty raw -echo; echo ready; head -c 1048576 | cksum; sleep 600"])
      await shows(shell, "ready")
      await write(shell, "0123456789abcde\n".repeat(65_536))
      await shows(shell, await sh("a", "yes 0123456789abcde | head -65536 | tr '\\n' '\\r' | cksum"))
      await close(shell)
    })

    it("a program that closes its terminal ends the shell as its program ends", async () => {
      const shell = await open(["sh", "-c", "echo bye; exec <&- >&- 2>&-; sleep 0.2; exit 7"])
      const { outcome, output } = await read(shell, { wait_for: "never printed" })
      assert.deepStrictEqual([outcome, output], ["exited", "bye"])
    })

    it("wrong programs and ids are refused, and leave no shell", async () => {
      const before = await openShells()
      assert.match(await failure(open(["no-such-program"])), /no-such-program/)
      assert.match(await failure(read("0123")), /0123/)
      assert.strictEqual(await openShells(), before)
    })

    it("a workspace has at most 100 open shells, and lists each of them", async () => {
      const before = await open(["sleep", "600"])
      const others = await Promise.all(Array.from({ length: 99 }, () => open(["sleep", "600"])))
      assert.strictEqual(await openShells(), 100)
      assert.match(
        await failure(open(["true"])),
        /has 100 open shells, and may have no more.*workspace\.shell\.close/
      )
      await close(others[0]!)
      await open(["true"])
      await until("the end of the program", async () => await openShells() === 99)
      const { shells } = await call<{ readonly shells: ReadonlyArray<Shell> }>("shell-list", { workspace: "a" })
      assert.lengthOf(shells, 100)
      assert.lengthOf(shells.filter(({ outcome }) => outcome === "running"), 99)
      assert.include(shells.map(({ shellId }) => shellId), before)
      await Promise.all([before, ...others.slice(1)].map(close))
      assert.strictEqual(await openShells(), 0)
    })

    it("an attached terminal gets what draws on its screen, and the rest only with raw", async () => {
      const shell = await open(["bash", "--norc"])
      const input = "printf '\\033]52;c;eA==\\007\\033[6n\\033[31mse''en\\n'\r"
      const attached = (raw: boolean) =>
        call<string>("shell-attach", { workspace: "a", shellId: shell, input, raw, until: "seen" })
      const clean = await attached(false)
      assert.include(clean, "\u001b[31mseen")
      assert.notMatch(clean, /\u001b\]52|\u001b\[6n/)
      assert.include(await attached(true), "\u001b]52;c;eA==\u0007\u001b[6n\u001b[31mseen")
      await close(shell)
    })

    it("shells that flood hostile output neither grow the memory of pyro nor hold others up", async () => {
      const shell = await open(["python3", "-c", HOSTILE], { cols: 200, rows: 50 })
      const other = await open(["python3", "-c", HOSTILE], { cols: 300, rows: 100 })
      await until("some output", async () => (await read(shell, { plain: false, max_bytes: 1 })).output !== "")
      const before = await call<number>("memory")
      await call("shell-attach", { workspace: "a", shellId: shell, input: "" })
      const waiting = Promise.all([
        read(shell, { wait_for: "never printed", wait_seconds: 2 }),
        read(other, { wait_for: "never printed", wait_seconds: 2 }),
        read(other, { wait_for_idle_ms: 1_000, wait_seconds: 2 })
      ])
      for (let n = 0; n < 5; n++) assert.strictEqual(await sh("a", "echo beside"), "beside")
      for (const { waited } of await waiting) assert.strictEqual(waited, "timed_out")
      assert.isBelow(await call<number>("memory") - before, 200)
      for (const one of [shell, other]) assert.strictEqual((await close(one)).outcome, "signaled")
    })

    it("lines that are typed while the process is killed come once, or their request fails", async () => {
      const shell = await open(["sh", "-c", "stty -echo; echo ready; exec cat > lines"])
      await shows(shell, "ready")
      const typed: Array<number> = []
      const lost: Array<number> = []
      const typing = Promise.all(
        Array.from({ length: 60 }, (_, n) => write(shell, `line ${n}\n`).then(() => typed.push(n), () => lost.push(n)))
      )
      await until("some lines", () => typed.length >= 5)
      await client.kill()
      await typing
      await write(shell, "last\n")
      await until("the last line", async () => /last$/.test(await sh("a", "cat lines")))
      const lines = (await sh("a", "cat lines")).split("\n").slice(0, -1)
      assert.lengthOf(new Set(lines), lines.length, "a line came twice")
      assert.includeMembers(lines, typed.map((n) => `line ${n}`))
      for (const line of lines) assert.match(line, /^line \d+$/)
      await close(shell)
      await remove("a")
    })
  })
}
