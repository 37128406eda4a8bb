import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { CommandNotStarted } from "../../../../src/contract/errors/errors.ts"
import { type CommandRequest, recordedCommand, spawnRequest } from "../../../../src/workspace/residents/command.ts"

const request = (more: Partial<CommandRequest>): CommandRequest => ({
  command: ["true"],
  env: {},
  cwd: "/workspace",
  user: "root",
  tty: false,
  rows: 24,
  cols: 80,
  ...more
})

describe("a command's request to the guest", () => {
  it.each([
    ["/workspace", "/workspace"],
    ["src", "/workspace/src"],
    ["./src/../lib", "/workspace/lib"],
    [".", "/workspace"],
    ["/tmp/x", "/tmp/x"]
  ])("a command with cwd %s runs in %s", (cwd, expected) => {
    assert.strictEqual(spawnRequest(request({ cwd }), {}).cwd, expected)
  })

  it("the shell gets a script as one argument", () => {
    const script = "echo \"$HOME\"; exit 3"
    const { argv } = spawnRequest(request({ command: [], script }), {})
    assert.strictEqual(argv[0], "/bin/sh")
    assert.strictEqual(argv.at(-1), script)
  })

  it("without a program, a login shell runs: bash, or sh where there is no bash", () => {
    const [program = "", ...args] = spawnRequest(request({ command: [] }), {}).argv.map(String)
    const shellOf = (words: ReadonlyArray<string>) =>
      execFileSync(program, words, {
        input: `echo "$0 $SHELL \${BASH_VERSION:+bash}"`,
        env: { SHELL: "/bin/bash", HOME: "/nowhere", PATH: "/usr/bin:/bin" },
        encoding: "utf8"
      })
    assert.strictEqual(shellOf(args), "/bin/bash /bin/bash bash\n")
    const withoutBash = args.map((word) => word.replaceAll("/bin/bash", "/nowhere/bash"))
    assert.match(shellOf(withoutBash), /^\/bin\/sh \/bin\/sh/)
  })

  it("the record of a script names its shell", () => {
    assert.deepStrictEqual(recordedCommand(request({ command: [], script: "date; id" })), ["bash", "-c", "date; id"])
    assert.deepStrictEqual(recordedCommand(request({ command: ["ls", "-l"] })), ["ls", "-l"])
  })
})

describe("the error of a command that was not started", () => {
  it.each(["user", "cwd", "length"])("the error of a wrong %s does not offer the same command again", (step) => {
    const { message } = new CommandNotStarted({ step, detail: "ENOENT: /nope" })
    assert.include(message, "Nothing ran")
    assert.notInclude(message, "Another attempt is safe")
  })

  it("the error of a full guest offers the same command again", () => {
    assert.include(new CommandNotStarted({ step: "cgroup", detail: "ENOMEM" }).message, "Another attempt is safe")
  })
})
