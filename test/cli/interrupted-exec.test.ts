import { readFileSync } from "node:fs"
import { afterEach, assert, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { eventually, run, start } from "./cli-process.ts"

const binary = buildFake()
const create = (...args: ReadonlyArray<string>) => run(binary, ["workspace", "create", ...args])

afterEach(() => run(binary, ["workspace", "delete", "--all"]))

describe("Ctrl-C during exec", () => {
  it("an interrupted exec ends its command in the daemon", async () => {
    await create("--name", "fix")
    const { child, ended, printed } = start(binary, [
      "workspace",
      "exec",
      "fix",
      "--",
      "sh",
      "-c",
      "echo $$; exec sleep 600"
    ])
    await eventually("the command", () => printed().endsWith("\n"), printed)
    const pid = printed().trim()
    child.kill("SIGINT")
    assert.strictEqual((await ended).signal, "SIGINT")
    await eventually("its end", () => !isRunning(pid))
  })

  const interrupted = async (...words: ReadonlyArray<string>) => {
    await create("--name", "fix")
    const { child, ended, printed } = start(binary, ["workspace", "exec", "fix", ...words])
    await eventually("the command's first line", () => printed() === "up\n", printed)
    child.kill("SIGINT")
    const { signal, status, stderr, stdout } = await ended
    return { signal, status, stderr, stdout: stdout.toString() }
  }
  const trap = "trap 'echo swept; exit 7' INT; echo up; while :; do sleep 0.1; done"

  it.each([["without options", []], ["with options", ["--grace-seconds", "600"]]])(
    "exec exits after %s with the status of the command's handler",
    async (_, options) => {
      assert.deepStrictEqual(await interrupted(...options, "--", "sh", "-c", trap), {
        signal: null,
        status: 7,
        stdout: "up\nswept\n",
        stderr: ""
      })
    }
  )

  it("Ctrl-C ends the wait for a detached command, and pyro dies of the signal", async () => {
    await create("--name", "fix")
    const command = ["sh", "-c", "echo up; exec sleep 600"]
    const { child, ended, printed } = start(binary, [
      "workspace",
      "exec",
      "fix",
      "--wait-seconds",
      "600",
      "--",
      ...command
    ])
    await eventually("the command's first line", () => printed() === "up\n", printed)
    child.kill("SIGTERM")
    const { signal, stderr } = await ended
    assert.strictEqual(signal, "SIGTERM")
    assert.strictEqual(stderr, "pyro: interrupted: a started command goes on; its output: pyro logs fix\n")
  })
})

/** Zombies do not count. */
const isRunning = (pid: string) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}
