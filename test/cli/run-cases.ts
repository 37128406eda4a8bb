import { createHash, randomBytes } from "node:crypto"
import { constants, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { lapsed } from "../support/until.ts"
import {
  type Binary,
  eventually,
  handlesSignals,
  leadingTerminal,
  onTerminal,
  run,
  shell,
  start
} from "./cli-process.ts"

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const megabytes = (count: number) => count * 1024 * 1024

/** Memory of a process in use, in bytes. */
const residentBytes = (pid: number) =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

/** Without exec, dash may lose the SIGINT: its forked child has dash's handler, which then does nothing, until sleep is executed. */
const UP = "echo up; exec sleep 600"

/** What `pyro run` promises as a process, whoever does the work behind it. */
export const runCases = (name: string, binary: Binary) => {
  const inGuest = (...words: ReadonlyArray<string>) => ["run", "debian:12", ...words]
  const script = (text: string) => ["--", "sh", "-c", text]

  describe(`${name}: output and status`, () => {
    it("run passes on stdout, stderr and the exit status", async () => {
      const { status, stderr, stdout } = await run(binary, inGuest(...script("echo out; echo err >&2; exit 7")))
      assert.deepStrictEqual({ status, stderr, stdout: stdout.toString() }, {
        status: 7,
        stderr: "err\n",
        stdout: "out\n"
      })
    })

    it("run passes every word after -- to the guest", async () => {
      const help = await run(binary, inGuest("--", "ls", "--help"))
      assert.match(help.stdout.toString(), /^Usage: ls /)
      const words = ["--version", "-h", "--json", "--wizard", "--log-level", "all", "--", "a  b", "", "$HOME"]
      const echoed = await run(binary, inGuest("--", "printf", "[%s]", ...words))
      assert.strictEqual(echoed.stdout.toString(), words.map((word) => `[${word}]`).join(""))
    })

    it("run prints output while the command runs", async () => {
      const { child, ended, printed } = start(binary, inGuest("-i", ...script("echo first; read line; echo $line")))
      await eventually("the first line", () => printed() === "first\n", printed)
      child.stdin.end("second\n")
      assert.strictEqual((await ended).stdout.toString(), "first\nsecond\n")
    })

    it("run exits with 127 for a missing command and 126 for one that is not executable", async () => {
      const missing = await run(binary, inGuest("--", "no-such-command"))
      assert.strictEqual(missing.status, 127)
      assert.match(missing.stderr, /^pyro: no command "no-such-command"/)
      const unexecutable = await run(binary, inGuest("--", "/etc/passwd"))
      assert.strictEqual(unexecutable.status, 126)
      assert.match(unexecutable.stderr, /^pyro: "\/etc\/passwd" cannot be executed/)
    })

    it("run exits with 125 and names the known environments for an unknown one", async () => {
      const { status, stderr, stdout } = await run(binary, ["run", "debian:1", "--", "true"])
      assert.strictEqual(status, 125)
      assert.strictEqual(stdout.length, 0)
      assert.match(stderr, /^pyro: no environment "debian:1"\. Known environments: .*debian:12/)
    })

    it("run kills the command at its timeout and exits with 124", async () => {
      const { status, stderr, stdout } = await run(binary, [
        ...inGuest("--timeout-seconds", "0.5"),
        ...script("echo begun; sleep 600; echo never")
      ])
      assert.strictEqual(status, 124)
      assert.strictEqual(stdout.toString(), "begun\n")
      assert.match(stderr, /ran past its timeout/)
    })
  })

  describe(`${name}: --json`, () => {
    it("run --json prints one document with the outcome", async () => {
      const { status, stderr, stdout } = await run(binary, [
        ...inGuest("--json"),
        ...script("echo out; echo err >&2; exit 3")
      ])
      const { durations, ...result } = JSON.parse(stdout.toString())
      assert.strictEqual(status, 3)
      assert.strictEqual(stderr, "")
      assert.deepStrictEqual(result, {
        environment: "debian:12",
        outcome: "exited",
        status: 3,
        stdout: "out\n",
        stderr: "err\n",
        stdout_bytes: 4,
        stderr_bytes: 4,
        truncated: false,
        lossy: false,
        warnings: []
      })
      assert.isAtLeast(durations.total_ms, durations.command_ms)
      assert.isAtLeast(durations.command_ms, 0)
      assert.isAtLeast(durations.boot_ms, 0)
    })

    it("run --json keeps the beginning and the end of long output and reports the cut", async () => {
      const { stdout } = await run(binary, inGuest("--json", "--max-bytes", "100", "--", "seq", "100000"))
      const result = JSON.parse(stdout.toString())
      assert.isTrue(result.truncated)
      assert.strictEqual(result.stdout_bytes, 588_895)
      assert.match(result.stdout, /^1\n2\n[^]*\n\[\.\.\. 588795 bytes left out \.\.\.\]\n[^]*\n100000\n$/)
    })

    it("run --json prints an error as its only document", async () => {
      const { status, stderr, stdout } = await run(binary, ["run", "debian:1", "--json", "--", "true"])
      const { error } = JSON.parse(stdout.toString())
      assert.strictEqual(status, 125)
      assert.strictEqual(stderr, "")
      assert.strictEqual(error.code, "environment_unknown")
      assert.include(error.known, "debian:12")
      assert.match(error.message, /^no environment "debian:1"/)
    })

    it("run --json shows a timeout as its outcome", async () => {
      const { status, stdout } = await run(binary, inGuest("--json", "--timeout-seconds", "0.5", "--", "sleep", "600"))
      const result = JSON.parse(stdout.toString())
      assert.deepStrictEqual([status, result.outcome, result.status], [124, "timed_out", 124])
    })
  })

  describe(`${name}: stdin`, () => {
    it("run --interactive passes the whole stdin to the command", async () => {
      const input = randomBytes(megabytes(8))
      const { stdout } = await run(binary, inGuest("--interactive", "--", "cat"), { input })
      assert.strictEqual(sha256(stdout), sha256(input))
    })

    it("run leaves the input of a shell loop around it alone", async () => {
      const loop = "printf \"a\\nb\\nc\\n\" | while read -r line; do \"$@\" \"$line\"; done"
      const { stdout } = await shell(binary, loop, inGuest("--", "sh", "-c", "cat; echo \"$0\""))
      assert.strictEqual(stdout.toString(), "a\nb\nc\n")
    })

    it("run names a directory that was deleted, where a path is relative", async () => {
      const line = "gone=$(mktemp -d); cd \"$gone\"; rmdir \"$gone\"; \"$@\""
      const { status, stderr } = await shell(binary, line, inGuest("--seed-path", ".", "--", "true"))
      assert.strictEqual(status, 2)
      assert.include(stderr, "pyro: --seed-path: \".\" leads nowhere: the current directory was deleted")
    })

    it("run does not wait for a stdin that stays open", async () => {
      const { child, ended } = start(binary, inGuest("--", "echo", "done"))
      const { status, stdout } = await ended
      child.stdin.destroy()
      assert.deepStrictEqual([status, stdout.toString()], [0, "done\n"])
    })
  })

  describe(`${name}: signals and closed pipes`, () => {
    it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
      "run dies of %s if the signal ended the command, and says what remains",
      async (signal) => {
        const { child, ended, printed } = start(binary, inGuest(...script(UP)))
        await eventually("the command's first line", () => printed() === "up\n", printed)
        child.kill(signal)
        assert.deepStrictEqual(await ended, {
          status: null,
          signal,
          stdout: Buffer.from("up\n"),
          stderr: "pyro: interrupted: the command ended, and its microVM is gone\n"
        })
      }
    )

    it("Ctrl-C in run ends a shell loop around it", async () => {
      const { ended, screen, terminal } = onTerminal(
        binary,
        `for i in 1 2 3; do "$@"; echo "went on"; done`,
        inGuest(...script(UP))
      )
      await eventually("the command", () => screen().includes("up"), screen)
      terminal.write("\u0003")
      assert.strictEqual(await ended, 130)
      assert.notInclude(screen(), "went on")
    })

    it("run restores the mode of a shared pipe when it dies of a signal", async () => {
      const folder = mkdtempSync(join(tmpdir(), "pyro-pipe-"))
      try {
        const started = `(echo $BASHPID > ${folder}/pid; exec "$@")`
        const line = `{ ${started}; echo $? >&2; grep flags /proc/self/fdinfo/3 3>&1 >&2; } |` +
          `{ read line; kill -INT $(cat ${folder}/pid); cat; }`
        const { stderr } = await shell(binary, line, inGuest(...script(UP)))
        const [, status, flags = ""] = /^pyro: interrupted: .*\n(\d+)\nflags:\s+(\d+)\n$/.exec(stderr) ?? [stderr]
        assert.deepStrictEqual([status, parseInt(flags, 8) & constants.O_NONBLOCK], ["130", 0])
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })

    it("run prints the output of the command's Ctrl-C handler and exits with the handler's status", async () => {
      const { child, ended, printed } = start(binary, [
        ...inGuest("--grace-seconds", "600"),
        ...script("trap 'echo swept; exit 7' INT; echo up; while :; do sleep 0.1; done")
      ])
      await eventually("the command's first line", () => printed() === "up\n", printed)
      child.kill("SIGINT")
      const { status, stdout } = await ended
      assert.deepStrictEqual([status, stdout.toString()], [7, "up\nswept\n"])
    })

    it("a second Ctrl-C kills a command that ignores the first", async () => {
      const { child, ended, printed } = start(binary, [
        ...inGuest("--grace-seconds", "600"),
        ...script("trap 'echo heard' INT; echo up; while :; do sleep 0.1; done")
      ])
      await eventually("the command's first line", () => printed() === "up\n", printed)
      const first = performance.now()
      child.kill("SIGINT")
      // Two that come within a tenth of a second are one.
      await eventually("the first", () => printed() === "up\nheard\n" && performance.now() - first > 150, printed)
      child.kill("SIGINT")
      assert.strictEqual((await ended).signal, "SIGINT")
    })

    it("an interrupted run --json prints one document", async () => {
      const { child, ended } = start(binary, inGuest("--json", "--", "sleep", "600"))
      // At any moment after the program has taken over signals; before that the system ends it, and nothing is printed.
      await eventually("its handlers of signals", () => handlesSignals(child.pid!))
      child.kill("SIGINT")
      const { signal, stdout } = await ended
      assert.strictEqual(signal, "SIGINT")
      assert.strictEqual(JSON.parse(stdout.toString()).error.code, "interrupted")
    })

    it("run ends quietly when its reader closes the pipe", async () => {
      const { stderr, stdout } = await shell(binary, `"$@" | head -n 1; echo "\${PIPESTATUS[0]}"`, inGuest("--", "yes"))
      assert.deepStrictEqual([stdout.toString(), stderr], ["y\n141\n", ""])
    })

    it("run uses little memory for a slow reader and loses no output", async () => {
      // Behind an output that nobody reads what is said on the other waits too.
      const child = start(binary, inGuest(...script("echo up >&2; sleep 0.3; head -c 67108864 /dev/zero")), {
        input: ""
      })
      child.child.stdout.pause()
      await eventually("the command", () => child.complained() === "up\n", child.complained)
      const before = residentBytes(child.child.pid!)
      await lapsed(1500)
      const growth = residentBytes(child.child.pid!) - before
      child.child.stdout.resume()
      const { status, stdout } = await child.ended
      assert.deepStrictEqual([status, stdout.length], [0, megabytes(64)])
      assert.isBelow(growth, megabytes(32))
    })
  })

  describe(`${name}: --tty`, () => {
    const folder = mkdtempSync(join(tmpdir(), "pyro-tty-"))
    afterAll(() => rmSync(folder, { recursive: true, force: true }))
    /** The terminal's settings before and after pyro, which must be equal. */
    const settings = (which: string) => readFileSync(join(folder, which), "utf8")
    const guarded = (line: string) =>
      `stty -g > ${folder}/before; ${line}; status=$?; stty -g > ${folder}/after; exit $status`

    it("run --tty without a command opens a shell and restores the terminal", async () => {
      const { ended, screen, terminal } = onTerminal(binary, guarded(`"$@"`), inGuest())
      await eventually("a prompt", () => /[#$] /.test(screen()), screen)
      terminal.write("echo $((6 * 7)); exit 3\r")
      assert.strictEqual(await ended, 3)
      assert.match(screen(), /[\r\n]42\r\n/)
      assert.strictEqual(settings("after"), settings("before"))
    })

    it("run --tty ends the modes of the terminal that a program leaves behind", async () => {
      const { ended, screen } = onTerminal(binary, guarded(`"$@"`), [
        ...inGuest("--tty"),
        ...script("printf '\\033[?25;1049h\\033[?1003;2004h\\033[?5hfull'")
      ])
      assert.strictEqual(await ended, 0)
      const after = screen().slice(screen().indexOf("full"))
      for (const mode of ["1049l", "1003l", "2004l", "5l", "25h"]) assert.include(after, `\u001b[?${mode}`)
      assert.strictEqual(settings("after"), settings("before"))
    })

    it("run --tty passes on the window size, its changes, and TERM", async () => {
      const { ended, screen, terminal } = onTerminal(binary, `"$@"`, [
        ...inGuest("--tty"),
        ...script("trap 'stty size; exit 0' WINCH; stty size; echo $TERM; while :; do sleep 0.1; done")
      ])
      await eventually("size and kind", () => /30 100\r\nxterm-256color\r\n/.test(screen()), screen)
      terminal.resize(120, 40)
      assert.strictEqual(await ended, 0)
      assert.match(screen(), /40 120\r\n/)
    })

    it("run --tty passes Ctrl-C to the guest", async () => {
      const { ended, screen, terminal } = onTerminal(binary, guarded(`"$@"`), [
        ...inGuest("--tty"),
        ...script("trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done")
      ])
      await eventually("the guest", () => screen().includes("ready"), screen)
      terminal.write("\u0003")
      assert.strictEqual(await ended, 9)
      assert.include(screen(), "caught")
      assert.strictEqual(settings("after"), settings("before"))
    })

    it("run --tty restores the terminal when a signal ends pyro", async () => {
      const { ended, screen } = onTerminal(
        binary,
        guarded(`(echo $BASHPID > ${folder}/pid; exec "$@")`),
        [...inGuest("--tty"), ...script("echo ready; sleep 600")]
      )
      await eventually("the guest", () => screen().includes("ready"), screen)
      process.kill(Number(settings("pid")), "SIGTERM")
      assert.strictEqual(await ended, 143)
      assert.strictEqual(settings("after"), settings("before"))
    })

    it("run --tty exits when the terminal hangs up", async () => {
      const words = [...inGuest("--tty"), ...script("while echo ready; do sleep 0.1; done")]
      const { ended, screen, terminal } = leadingTerminal(binary, words)
      await eventually("the guest", () => screen().includes("ready"), screen) // Closes this end of it.
      ;(terminal as unknown as { readonly destroy: () => void }).destroy()
      assert.strictEqual(await ended, 129)
    })

    it("run refuses --tty without a terminal", async () => {
      const { status, stderr } = await run(binary, inGuest("--tty", "--", "true"))
      assert.strictEqual(status, 2)
      assert.match(stderr, /^pyro: --tty: needs stdin and stdout to be a terminal/)
    })
  })
}
