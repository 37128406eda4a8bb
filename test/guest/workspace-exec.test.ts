import { createHash, randomBytes } from "node:crypto"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { toldError } from "../support/daemon/told-error.ts"
import { installation } from "../support/installation.ts"
import { pyro as run, startPyro, until } from "../support/pyro-cli.ts"

const pyro = installation("pyro-exec-")
const { call, create, env, json, logs, sh } = pyro
beforeAll(() => create(["--name", "w"]))
afterAll(pyro.close)

interface Result {
  readonly exec_id: string
  readonly outcome: string
  readonly status: number
  readonly signal?: number
  readonly stdout: string
  readonly stderr: string
  readonly stdout_bytes: number
  readonly truncated: boolean
  readonly lossy: boolean
  readonly warnings: ReadonlyArray<{ readonly message: string }>
  readonly next_cursor: number
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const exec = (...args: ReadonlyArray<string>) => call(["workspace", "exec", "w", ...args])

/** What `--json` says of a command, whatever it left with. */
const told = async (...args: ReadonlyArray<string>) => {
  const at = args.indexOf("--")
  const withJson = at < 0 ? [...args, "--json"] : [...args.slice(0, at), "--json", ...args.slice(at)]
  const { code, stderr, stdout } = await exec(...withJson)
  const result = JSON.parse(stdout.toString() || `{"stderr":${JSON.stringify(stderr)}}`) as Result
  return { code, result }
}

/** How many processes of the guest have a word in their command line. */
const processesWith = async (word: string) => Number(await sh("w", `pgrep -fc '[${word[0]}]${word.slice(1)}' || true`))

const logged = async () => (await logs("w")).length

describe("how a command ends", () => {
  it("exec returns the exit status with stdout and stderr apart", async () => {
    const { code, result } = await told("--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert.deepInclude(result, { outcome: "exited", status: 7, stdout: "out\n", stderr: "err\n", next_cursor: 8 })
    assert.strictEqual(code, 7)
  })

  it("a command keeps the order of its stdout and stderr where both are one file of pyro, with options and without", async () => {
    const script = "for i in $(seq 1 100); do echo out $i; echo err $i >&2; done"
    const lines = Array.from({ length: 100 }, (_, at) => `out ${at + 1}\nerr ${at + 1}\n`).join("")
    for (const options of [[], ["--cwd", "/"]]) {
      const { stdout } = await run(["workspace", "exec", "w", ...options, "--", "sh", "-c", script], {
        env,
        enter: ["sh", "-c", "exec \"$@\" 2>&1", "sh"]
      })
      assert.strictEqual(stdout.toString(), lines, options.join(" "))
    }
    const { result } = await told("--order", "written", "--", "sh", "-c", "echo out; echo err >&2")
    assert.deepInclude(result, { stdout: "out\nerr\n", stderr: "" })
  })

  it("exec reports the signal that ended a command", async () => {
    const { code, result } = await told("--", "sh", "-c", "kill -TERM $$")
    assert.deepInclude(result, { outcome: "signaled", status: 143, signal: 15 })
    assert.strictEqual(code, 143)
  })

  it("a timeout ends a command with its children", async () => {
    const { code, result } = await told(
      ...["--timeout-seconds", "5", "--"],
      ...["sh", "-c", "echo begun; (setsid sleep 7771 &) ; trap '' TERM; sleep 7772 & sleep 7773"]
    )
    assert.deepInclude(result, { outcome: "timed_out", status: 124, stdout: "begun\n" })
    assert.strictEqual(code, 124)
    assert.strictEqual(await processesWith("sleep 777"), 0)
  })

  it("a signal runs Python's KeyboardInterrupt and a shell's trap first, and a timeout stays a timeout", async () => {
    const loop =
      "import time\ntry:\n print('up', flush=True)\n time.sleep(600)\nexcept KeyboardInterrupt:\n print('swept')"
    const python = startPyro(["workspace", "exec", "w", "--grace-seconds", "60", "--", "python3", "-c", loop], { env })
    await until("its first line", () => python.stdoutSoFar().toString() === "up\n")
    python.child.kill("SIGINT")
    const { code, stdout } = await python.finished
    assert.deepStrictEqual([code, stdout.toString()], [0, "up\nswept\n"])
    assert.strictEqual((await logs("w")).at(-1)?.outcome, "exited")
    const trap = "trap 'echo swept; exit 0' TERM; sleep 7774 & wait"
    const { result } = await told("--timeout-seconds", "5", "--grace-seconds", "60", "--script", trap)
    assert.deepInclude(result, { outcome: "timed_out", status: 124, stdout: "swept\n" })
    assert.strictEqual(await processesWith("sleep 777"), 0)
  })

  it("Ctrl-C runs the command's handler before the program is loaded", async () => {
    const swept = "trap 'echo swept; exit 3' INT; echo up; while :; do sleep 0.1; done"
    const plain = startPyro(["workspace", "exec", "w", "--", "sh", "-c", swept], { env })
    await until("its first line", () => plain.stdoutSoFar().toString() === "up\n")
    plain.child.kill("SIGINT")
    const { code, stdout } = await plain.finished
    assert.deepStrictEqual([code, stdout.toString()], [3, "up\nswept\n"])
  })

  it("the first command that looks for the network is told that there is none", async () => {
    const look = () => told("--", "python3", "-c", "import socket; socket.gethostbyname('example.org')")
    const first = (await look()).result
    assert.strictEqual(first.status, 1)
    assert.match(first.warnings.map(({ message }) => message).join(), /no network/)
    assert.deepStrictEqual((await look()).result.warnings, [])
  })

  it("a missing command is 127, an unexecutable one 126, and neither is in the journal", async () => {
    const before = await logged()
    const missing = await exec("--json", "--", "no-such-program")
    assert.strictEqual(missing.code, 127)
    assert.deepInclude(toldError(missing), { code: "command_not_found", command: "no-such-program" })
    const data = await exec("--json", "--", "/etc/passwd")
    assert.strictEqual(data.code, 126)
    assert.deepInclude(toldError(data), { code: "command_not_executable", command: "/etc/passwd" })
    assert.strictEqual(await logged(), before)
  })

  it("a command that is too long is not run, and the error says how to pass it", async () => {
    const before = await logged()
    const { code, stdout } = await exec("--json", "--script", `: ${"x".repeat(70_000)}`)
    assert.strictEqual(code, 125)
    const error = toldError({ stdout })
    assert.deepInclude(error, { code: "command_not_started", step: "length" })
    assert.match(error.message, /pass it on stdin/)
    assert.strictEqual(await logged(), before)
  })

  it("a command that runs out of memory leaves the workspace running", async () => {
    const { code, result } = await told("--", "tail", "/dev/zero")
    assert.deepInclude(result, { outcome: "out_of_memory", status: 137 })
    assert.strictEqual(code, 137)
    assert.strictEqual(await sh("w", "echo alive"), "alive")
  })

  it("a fork bomb stays in its own command, and its timeout ends all of it", async () => {
    const script = "bomb() { bomb | bomb & wait; }; bomb"
    const refusals = "cat /sys/fs/cgroup/pyro/*/pids.events | sort -k2n | tail -1 | cut -d' ' -f2"
    let isFull = false
    // On a busy host the bomb needs longer to reach its limit of processes.
    for (let seconds = 15; !isFull && seconds <= 240; seconds *= 4) {
      const args = ["workspace", "exec", "w", "--timeout-seconds", String(seconds), "--", "sh", "-c", script]
      const bomb = startPyro(args, { env })
      while (!isFull && bomb.child.exitCode === null) isFull = Number(await sh("w", refusals)) > 0
      if (isFull) assert.strictEqual(await sh("w", "echo alive"), "alive")
      assert.strictEqual((await bomb.finished).code, 124)
    }
    assert.isTrue(isFull, "the bomb never reached its limit of processes")
    // PID 1 has hundreds to bury.
    await until("its end", async () => Number(await sh("w", "ls -d /proc/[0-9]* | wc -l")) < 200)
  })
})

describe("what flows into a command and out of it", () => {
  it("exec passes 8 MiB of input and its end", async () => {
    const input = randomBytes(8 * 1024 * 1024)
    const { code, stdout } = await call(["workspace", "exec", "w", "--interactive", "--", "sha256sum"], { input })
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout.toString().slice(0, 64), sha256(input))
    const empty = await call(["workspace", "exec", "w", "--interactive", "--", "wc", "-c"], { input: "" })
    assert.strictEqual(empty.stdout.toString().trim(), "0")
  })

  it("a command that reads no input ends", async () => {
    const { code } = await call(["workspace", "exec", "w", "--interactive", "--", "true"], {
      input: Buffer.alloc(4 * 1024 * 1024)
    })
    assert.strictEqual(code, 0)
  })

  it("exec passes bytes that are not UTF-8, and JSON reports their replacement", async () => {
    const script = "printf 'a\\377\\376b\\000'"
    assert.deepStrictEqual([...(await exec("--", "sh", "-c", script)).stdout], [0x61, 0xff, 0xfe, 0x62, 0])
    const { result } = await told("--", "sh", "-c", script)
    assert.deepInclude(result, { stdout: "a\ufffd\ufffdb\0", lossy: true, stdout_bytes: 5 })
    const raw = await json<{ readonly output: string }>(
      ["workspace", "logs", "w", "--exec-id", result.exec_id, "--encoding", "base64"]
    )
    assert.strictEqual(raw.output, Buffer.from([0x61, 0xff, 0xfe, 0x62, 0]).toString("base64"))
  })

  it("exec does not wait for a background child that holds stdout, and the child stays", async () => {
    const { code, stdout } = await exec("--", "sh", "-c", "sleep 7774 & echo done")
    assert.deepStrictEqual([code, stdout.toString()], [0, "done\n"])
    // It runs on for two hours: the command did not wait for it.
    assert.strictEqual(await processesWith("sleep 7774"), 1)
    await sh("w", "pkill -f '[s]leep 7774'")
  })

  it("exec returns the beginning and the end of long output, and all of it by cursor", async () => {
    const { result } = await told("--max-bytes", "1000", "--", "sh", "-c", "seq 1 100000 | sed 's/$/ \u20ac/'")
    assert.isTrue(result.truncated)
    assert.match(result.stdout, /^1 \u20ac\n2 \u20ac\n/)
    assert.match(result.stdout, /\n100000 \u20ac\n$/)
    const pages: Array<string> = []
    for (let cursor: number | undefined = 0; cursor !== undefined;) {
      const page: { readonly output: string; readonly lossy: boolean; readonly next_cursor?: number } = await json(
        ["workspace", "logs", "w", "--exec-id", result.exec_id, "--cursor", String(cursor), "--max-bytes", "300001"]
      )
      assert.isFalse(page.lossy)
      pages.push(page.output)
      cursor = page.next_cursor
    }
    assert.isAbove(pages.length, 3)
    assert.strictEqual(pages.join(""), Array.from({ length: 100_000 }, (_, at) => `${at + 1} \u20ac\n`).join(""))
  })
})

describe("coming back to a command", () => {
  it("a detached command is followed by its id any number of times", async () => {
    const { code: left, result: detached } = await told(
      "--detach",
      "--",
      "sh",
      "-c",
      "echo a; sleep 1; echo b; exit 5"
    )
    const id = detached.exec_id
    assert.strictEqual(left, 0)
    assert.strictEqual(detached.outcome, "running")
    // What has not ended has no status: 0 would read as success.
    assert.doesNotHaveAnyKeys(detached, ["status", "duration_ms"])
    for (const cursor of [0, 2, 4]) {
      const { code, result } = await told("--exec-id", id, "--cursor", String(cursor))
      assert.deepInclude(result, { exec_id: id, outcome: "exited", status: 5, stdout: "a\nb\n".slice(cursor) })
      assert.strictEqual(code, 5)
    }
    const { code, stderr } = await exec("--exec-id", id, "--cursor", "5")
    assert.strictEqual(code, 2, stderr)
  })

  it("exec stops waiting at --wait-seconds while the command goes on", async () => {
    const first = await told("--wait-seconds", "0.5", "--", "sh", "-c", "echo a; sleep 2; echo b")
    assert.deepInclude(first.result, { outcome: "running", stdout: "a\n", next_cursor: 2 })
    const { result } = await told("--exec-id", first.result.exec_id, "--cursor", "2", "--wait-seconds", "60")
    assert.deepInclude(result, { outcome: "exited", stdout: "b\n" })
  })

  it("several clients with one id run one command", async () => {
    const id = randomBytes(16).toString("hex")
    const args = [
      "workspace",
      "exec",
      "w",
      "--exec-id",
      id,
      "--",
      "sh",
      "-c",
      "echo x >> /tmp/once; sleep 1; cat /tmp/once"
    ]
    const all = await Promise.all(Array.from({ length: 4 }, () => run(args, { env })))
    for (const { code, stderr, stdout } of all) {
      assert.deepStrictEqual([code, stdout.toString(), stderr], [0, "x\n", ""])
    }
    assert.strictEqual((await run(args, { env })).stdout.toString(), "x\n")
  })

  it("the first digits of ids name a command and its workspace, and short options and units work", async () => {
    const [workspace] = await pyro.list()
    const begun = workspace!.id.slice(0, 7)
    const script = "echo $A; pwd; sleep 60"
    const { result } = await told("-eA=1", "-w", "/tmp", "--timeout-seconds", "1m", "--detach", "--script", script)
    const id = result.exec_id
    const cancelled = await call(["ws", "cancel", begun, id.slice(0, 10)])
    assert.strictEqual(cancelled.code, 0, cancelled.stderr)
    const { code, stdout } = await call(["ws", "exec", begun, "--exec-id", id.slice(0, 10)])
    assert.deepStrictEqual([stdout.toString(), code], ["1\n/tmp\n", 130])
    assert.strictEqual((await call(["ws", "exec", begun, "--exec-id", id.slice(0, 10), "--", "ls"])).code, 2)
  })

  it("exec refuses an unknown command id", async () => {
    const execId = "0".repeat(32)
    const { code, stdout } = await exec("--json", "--exec-id", execId)
    assert.strictEqual(code, 125)
    assert.deepInclude(toldError({ stdout }), { code: "exec_not_found", exec_id: execId })
  })
})
