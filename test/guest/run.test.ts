import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { eventually, onTerminal } from "../cli/cli-process.ts"
import { toldError } from "../support/daemon/told-error.ts"
import { hostInventory } from "../support/host/host-inventory.ts"
import { pyro, pyroPath, startPyro, temporaryFolder, until } from "../support/pyro-cli.ts"
import { settled, settlesAs } from "../support/settled.ts"

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

// test/cli/run.test.ts has more of its output, its terminal and its signals, over the tests' own driver, and test/soak/cli.test.ts the same
// with microVMs.
describe("pyro run", () => {
  const { folder, remove } = temporaryFolder("pyro run test ") // a name with spaces, on purpose
  const env = { PYRO_STATE_DIR: path.join(folder, "state") }
  const inventory = () => hostInventory({ state: env.PYRO_STATE_DIR })
  const run = (...args: ReadonlyArray<string>) => pyro(["run", "debian:12", ...args], { env })
  let before: ReadonlyArray<string> = []

  beforeAll(async () => {
    assert.strictEqual((await run("--", "true")).code, 0)
    before = await settled(inventory)
  })
  afterAll(async () => {
    await settlesAs(inventory, before, "something was left on the host")
    remove()
  })

  it("run keeps stdout and stderr apart and exits with the command's status", async () => {
    const { code, stderr, stdout } = await run(
      "--",
      "sh",
      "-c",
      "apt-get --version; python3 -c 'print(6*7)'; echo no >&2; exit 7"
    )
    assert.strictEqual(code, 7)
    assert.match(stdout.toString(), /^apt \d/)
    assert.match(stdout.toString(), /\n42\n$/)
    assert.strictEqual(stderr, "no\n")
  })

  it("run streams output while the command runs", async () => {
    const { child, finished, stdoutSoFar } = startPyro(
      ["run", "-i", "debian:12", "--", "sh", "-c", "echo first; read line; echo $line"],
      { env, openStdin: true }
    )
    await until("the first line", () => stdoutSoFar().toString() === "first\n")
    // The guest waits for this: its first line came while it ran.
    child.stdin!.end("second\n")
    const { code, stdout } = await finished
    assert.deepStrictEqual({ code, stdout: stdout.toString() }, { code: 0, stdout: "first\nsecond\n" })
  })

  it("a command of run without -i reads an empty stdin", async () => {
    const { code, stdout } = await pyro(["run", "debian:12", "--", "cat"], { env, input: Buffer.from("x\n") })
    assert.deepStrictEqual({ code, stdout: stdout.toString() }, { code: 0, stdout: "" })
  })

  it("run passes 8 MiB of stdin whole", async () => {
    const input = randomBytes(8 * 1024 * 1024)
    const { code, stdout } = await pyro(["run", "--interactive", "debian:12", "--", "sha256sum"], { env, input })
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout.toString().split(" ")[0], sha256(input))
  })

  it("run passes 64 MiB of stdout whole", async () => {
    const { code, stdout } = await run(
      "--",
      "python3",
      "-c",
      "import sys\nfor i in range(1024): sys.stdout.buffer.write(i.to_bytes(4,'big')*16384)"
    )
    const expected = createHash("sha256")
    for (let i = 0; i < 1024; i++) {
      const word = Buffer.alloc(4)
      word.writeUInt32BE(i)
      expected.update(Buffer.alloc(65_536, word))
    }
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout.length, 64 * 1024 * 1024)
    assert.strictEqual(sha256(stdout), expected.digest("hex"))
  })

  it("run applies env, cwd and user", async () => {
    const { stdout } = await run(
      "--env",
      "A=b c",
      "--cwd",
      "/tmp",
      "--user",
      "agent",
      "--",
      "sh",
      "-c",
      "echo $A; pwd; id -un; echo $HOME; sudo -n id -u"
    )
    assert.strictEqual(stdout.toString(), "b c\n/tmp\nagent\n/home/agent\n0\n")
  })

  it("the guest has the requested CPUs and memory", async () => {
    const { stdout } = await run(
      "--vcpu-count",
      "2",
      "--mem-mib",
      "512",
      "--",
      "sh",
      "-c",
      "nproc; grep MemTotal /proc/meminfo"
    )
    const [cpus, memory] = stdout.toString().split("\n")
    assert.strictEqual(cpus, "2")
    const kib = Number(/(\d+)/.exec(memory!)![1])
    assert.isTrue(kib > 400 * 1024 && kib < 512 * 1024, memory)
  })

  it("run exits with 127 for a missing command and 126 for one that cannot be executed", async () => {
    const missing = await run("--json", "--", "no-such-command")
    assert.strictEqual(missing.code, 127)
    assert.deepInclude(toldError(missing), { code: "command_not_found", command: "no-such-command" })
    const data = await run("--json", "--", "/etc/passwd")
    assert.strictEqual(data.code, 126)
    assert.deepInclude(toldError(data), { code: "command_not_executable", command: "/etc/passwd" })
  })

  it("run exits with 128 + n after signal n", async () => {
    assert.strictEqual((await run("--", "sh", "-c", "kill -TERM $$")).code, 143)
  })

  it("run exits with 137 and a message when the guest runs out of memory", async () => {
    // It looks for the last line of what has none, and so keeps all of it.
    const { code, stdout } = await run("--mem-mib", "256", "--json", "--", "tail", "/dev/zero")
    assert.strictEqual(code, 137)
    assert.deepInclude(JSON.parse(stdout.toString()), { outcome: "out_of_memory", status: 137 })
  })

  it("run kills the process tree at the timeout and exits with 124", async () => {
    const { code, stdout } = await run(
      "--timeout-seconds",
      "5",
      "--",
      "sh",
      "-c",
      "(sleep 3000 & sleep 3000) & echo on; setsid sleep 3000"
    )
    assert.strictEqual(code, 124)
    assert.strictEqual(stdout.toString(), "on\n")
  })

  it("run does not wait for a background child that holds the output open", async () => {
    const { code, stdout } = await run("--", "sh", "-c", "sleep 3000 & echo done")
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout.toString(), "done\n")
  })

  it("run dies of SIGINT on Ctrl-C and leaves nothing on the host", async () => {
    const { child, finished, stdoutSoFar } = startPyro(["run", "debian:12", "--", "sh", "-c", "echo up; sleep 300"], {
      env
    })
    await until("the guest's output", () => stdoutSoFar().includes("up"))
    child.kill("SIGINT")
    assert.strictEqual((await finished).signal, "SIGINT")
    await settlesAs(inventory, before)
  })

  it.each(["SIGTERM", "SIGHUP"] as const)("run releases all resources on %s", async (signal) => {
    const { child, finished, stdoutSoFar } = startPyro(["run", "debian:12", "--", "sh", "-c", "echo up; sleep 300"], {
      env
    })
    await until("the guest's output", () => stdoutSoFar().includes("up"))
    child.kill(signal)
    assert.strictEqual((await finished).signal, signal)
    await settlesAs(inventory, before)
  })

  it("run --tty passes on the size, its change and Ctrl-C, and restores the terminal", async () => {
    const settings = (which: string) => fs.readFileSync(path.join(folder, which), "utf8")
    const { ended, screen, terminal } = onTerminal(
      { entry: pyroPath, env: { ...env, SETTINGS: folder } },
      "stty -g > \"$SETTINGS/before\"; \"$@\"; status=$?; stty -g > \"$SETTINGS/after\"; exit $status",
      [
        ...["run", "debian:12", "--tty", "--", "sh", "-c"],
        "trap 'echo caught; exit 9' INT; trap 'stty size' WINCH; stty size; echo $TERM; while :; do sleep 0.1; done"
      ]
    )
    await eventually("size and kind", () => /30 100\r\nxterm-256color\r\n/.test(screen()), screen)
    terminal.resize(120, 40)
    await eventually("the new size", () => screen().includes("40 120\r\n"), screen)
    terminal.write("\u0003")
    assert.strictEqual(await ended, 9)
    assert.include(screen(), "caught")
    assert.strictEqual(settings("after"), settings("before"))
  })

  it("run --json prints one JSON document", async () => {
    const { code, stdout } = await run("--json", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert.strictEqual(code, 3)
    const result = JSON.parse(stdout.toString()) as Record<string, unknown>
    assert.deepInclude(result, {
      environment: "debian:12",
      outcome: "exited",
      status: 3,
      stdout: "out\n",
      stderr: "err\n",
      truncated: false
    })
  })

  it("run copies a directory or an archive to /workspace", async () => {
    const tree = path.join(folder, "tree")
    fs.mkdirSync(path.join(tree, "deep"), { recursive: true })
    fs.writeFileSync(path.join(tree, "deep", "file"), "content\n")
    fs.writeFileSync(path.join(tree, "tool"), "#!/bin/sh\necho tool\n", { mode: 0o755 })
    fs.symlinkSync("deep/file", path.join(tree, "link"))
    const check = "cat deep/file link; ./tool; stat -c '%u:%g' tool; echo more > new; echo $?"
    const expected = "content\ncontent\ntool\n0:0\n0\n"
    const seeded = await run("--seed-path", tree, "--", "sh", "-c", check)
    assert.strictEqual(seeded.stdout.toString(), expected, seeded.stderr)
    const archive = path.join(folder, "tree.tar.gz")
    const { execFileSync } = await import("node:child_process")
    execFileSync("tar", ["-czf", archive, "-C", tree, "."])
    const unpacked = await run("--seed-path", archive, "--", "sh", "-c", check)
    assert.strictEqual(unpacked.stdout.toString(), expected, unpacked.stderr)
    assert.isFalse(fs.existsSync(path.join(tree, "new")))
  })

  it("run copies a repository without ignored files and without its .git, unless files are named", async () => {
    const repository = path.join(folder, "repository")
    fs.mkdirSync(repository)
    const { execFileSync } = await import("node:child_process")
    const git = (...args: ReadonlyArray<string>) =>
      execFileSync("git", ["-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", ...args], { stdio: "ignore" })
    git("init")
    fs.writeFileSync(path.join(repository, ".gitignore"), ".env\n")
    fs.writeFileSync(path.join(repository, ".env"), "SECRET\n")
    git("add", ".")
    git("commit", "-m", "first")
    git("remote", "add", "origin", "https://user:TOKEN@example.com/x.git")
    const look = "ls -A; git status --short; cat .git/config"
    const seeded = await run("--seed-path", repository, "--", "sh", "-c", look)
    assert.strictEqual(seeded.code, 0, seeded.stderr)
    assert.match(seeded.stdout.toString(), /^\.git\n\.gitignore\n\[core\]/)
    assert.include(seeded.stdout.toString(), "https://example.com/x.git")
    assert.notInclude(seeded.stdout.toString(), "TOKEN")
    const left = "1 ignored file or directory stays on the host: .env. Copy them too: --include-ignored GLOB"
    assert.include(seeded.stderr, `pyro: warning: ${left}\n`)
    const asked = await run("--seed-path", repository, "--include-ignored", ".e*", "--", "cat", ".env")
    assert.strictEqual(asked.stdout.toString(), "SECRET\n", asked.stderr)
    assert.notInclude(asked.stderr, "ignored")
  })

  it("run works ten at once", async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, index) => run("--mem-mib", "256", "--", "sh", "-c", `echo ${index}`))
    )
    assert.deepStrictEqual(
      all.map(({ stdout }) => stdout.toString().trim()),
      Array.from({ length: 10 }, (_, index) => String(index))
    )
  })
})
