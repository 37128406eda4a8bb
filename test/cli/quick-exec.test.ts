import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { type Binary, run, shell } from "./cli-process.ts"

const quick = buildFake()
/** The same build without the part that runs commands before the program is loaded. */
const whole: Binary = { ...quick, entry: path.join(quick.folder, "whole/pyro.js") }
/** The same build with nothing but that part. */
const alone: Binary = { ...quick, entry: path.join(quick.folder, "alone/pyro.js") }

const without = (entry: string, start: string) => {
  const folder = path.dirname(entry)
  fs.cpSync(path.dirname(quick.entry), folder, { recursive: true })
  fs.readdirSync(folder).filter((file) => file.startsWith(start)).forEach((file) => fs.rmSync(path.join(folder, file)))
}

beforeAll(async () => {
  without(whole.entry, "quick-exec-")
  without(alone.entry, "main-")
  assert.strictEqual((await run(quick, ["workspace", "create", "--name", "fix"])).status, 0)
})

const exec = (...command: ReadonlyArray<string>) => ["workspace", "exec", "fix", "--", ...command]
const sh = (script: string) => exec("sh", "-c", script)

describe("workspace exec before the program is loaded", () => {
  it("workspace exec runs a command to its end before the program is loaded", async () => {
    const { status, stderr, stdout } = await run(alone, sh("echo out; echo err >&2; exit 7"))
    assert.deepStrictEqual({ status, stdout: stdout.toString(), stderr }, {
      status: 7,
      stdout: "out\n",
      stderr: "err\n"
    })
    assert.strictEqual((await run(alone, sh("sleep 1; echo late"))).stdout.toString(), "late\n")
  })

  it.each([["exec"], ["ws", "exec"], ["w", "exec"], ["workspace", "exec"]])(
    "pyro %s %s runs a command before the program is loaded, with and without --",
    async (...words) => {
      for (const dashes of [[], ["--"]]) {
        const { status, stdout } = await run(alone, [
          ...words,
          "fix",
          ...dashes,
          "sh",
          "-c",
          "echo $0 $1",
          "--json",
          "--"
        ])
        assert.deepStrictEqual({ status, stdout: stdout.toString() }, { status: 0, stdout: "--json --\n" })
      }
    }
  )

  it.each([
    ["prints nothing", exec("true")],
    ["fails", exec("false")],
    ["prints to both", sh("echo out; echo err >&2; exit 3")],
    ["prints no text", sh("printf '\\000\\377'")],
    ["prints much", sh("seq 1 200000")],
    ["prints much and then more", sh("seq 1 60000; sleep 0.3; seq 1 60000; exit 4")],
    ["takes a while", sh("echo one; sleep 0.5; echo two")],
    ["is killed", sh("echo out; kill -9 $$")],
    ["is not there", exec("no-such-program")],
    ["has odd arguments", exec("printf", "%s\\n", "--", "", "a b", "é", "--json")],
    ["reads", exec("cat")],
    ["is for a workspace that is not there", ["workspace", "exec", "nope", "--", "true"]],
    ["is no command", ["workspace", "exec", "fix", "--"]],
    ["begins without --", ["exec", "fix", "printf", "%s\\n", "--json", "--", "-x"]],
    ["has an option before its first word", ["exec", "fix", "--env", "A=b", "sh", "-c", "echo $A"]],
    ["has an option", ["workspace", "exec", "fix", "--env", "A=b", "--", "sh", "-c", "echo $A"]],
    ["has a wrong option", ["workspace", "exec", "fix", "--colour", "--", "true"]]
  ])("workspace exec behaves as the loaded program with a command that %s", async (_, args) => {
    const [one, other] = await Promise.all([run(quick, args), run(whole, args)])
    assert.deepStrictEqual(
      { ...one, stdout: one.stdout.toString("latin1") },
      { ...other, stdout: other.stdout.toString("latin1") }
    )
  })

  it("workspace exec exits as the loaded program does when its reader closes the pipe", async () => {
    const line = "\"$@\" | head -n 1; echo ${PIPESTATUS[0]}"
    const [one, other] = await Promise.all([quick, whole].map((each) => shell(each, line, exec("seq", "1", "100000"))))
    assert.deepStrictEqual(one, other)
  })

  it("workspace exec starts a daemon if none runs", async () => {
    await run(quick, ["daemon", "stop"])
    const { status, stderr } = await run(quick, exec("true"))
    // The fake's workspaces go with its daemon.
    assert.strictEqual(status, 125)
    assert.include(stderr, "no workspace")
  })
})
