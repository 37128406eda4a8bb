import { PyroSandbox } from "pyro/mastra"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { ownPyro, small } from "./own-pyro.ts"

// What Mastra's documentation and the docstrings of its base classes promise of a sandbox and its processes.

describe("the contract of Mastra's sandboxes", () => {
  ownPyro()
  let sandbox: PyroSandbox
  beforeAll(async () => {
    sandbox = new PyroSandbox({ ...small, env: { STAGE: "sandbox", KEPT: "kept" } })
    await sandbox._start()
  })
  afterAll(() => sandbox._destroy())

  const spawn = (...args: Parameters<NonNullable<PyroSandbox["processes"]>["spawn"]>) =>
    sandbox.processes!.spawn(...args)
  const run = (...args: Parameters<NonNullable<PyroSandbox["executeCommand"]>>) => sandbox.executeCommand!(...args)

  describe("life", () => {
    it("a sandbox has its own id, waits to be started, and is started and stopped twice without harm", async () => {
      const other = new PyroSandbox(small)
      assert.notStrictEqual(other.id, sandbox.id)
      assert.deepStrictEqual([other.status, other.isReady()], ["pending", false])
      await other._start()
      await other._start()
      assert.deepStrictEqual([other.status, other.isReady()], ["running", true])
      await other._stop()
      await other._stop()
      assert.deepStrictEqual([other.status, other.isReady()], ["stopped", false])
      await other._destroy()
      await other._destroy()
      assert.strictEqual(other.status, "destroyed")
    })

    it("its facts are those of the sandbox", async () => {
      const { id, name, provider, status } = await sandbox.getInfo()
      assert.deepStrictEqual(
        [id, name, provider, status],
        [sandbox.id, sandbox.name, sandbox.provider, sandbox.status]
      )
      assert.strictEqual(sandbox.status, "running")
    })

    it("files and the id stay over a stop, and commands run after it", async () => {
      await run("sh", ["-c", "echo content > /tmp/kept.txt"])
      const { id } = sandbox
      await sandbox._stop()
      await sandbox._start()
      assert.strictEqual(sandbox.id, id)
      assert.strictEqual((await run("cat", ["/tmp/kept.txt"])).stdout, "content\n")
      assert.strictEqual((await run("pwd")).stdout, "/workspace\n")
    })
  })

  describe("commands", () => {
    it("arguments are words, and variables and directories are those of one command", async () => {
      assert.strictEqual((await run("echo", ["hello world", "$HOME", "it's"])).stdout, "hello world $HOME it's\n")
      const both = await run("sh", ["-c", "echo $A $B; pwd; echo bad >&2; exit 1"], {
        env: { A: "1", B: "2" },
        cwd: "/tmp"
      })
      assert.deepInclude(both, { stdout: "1 2\n/tmp\n", stderr: "bad\n", exitCode: 1, success: false })
    })

    it("commands at the same time have their own output and variables", async () => {
      const results = await Promise.all(
        ["first", "second", "third"].map((VAR) => run("sh", ["-c", "echo $VAR"], { env: { VAR } }))
      )
      assert.deepStrictEqual(results.map(({ stdout }) => stdout), ["first\n", "second\n", "third\n"])
    })

    it("a command without input reads its end at once", async () => {
      assert.deepInclude(await run("cat"), { stdout: "", exitCode: 0 })
    })
  })

  describe("processes", () => {
    it("a process has an id, no exit code while it runs, and one result", async () => {
      const handle = await spawn("read line; echo got $line; exit 42")
      assert.match(handle.pid, /^[1-9]\d*$/)
      assert.isUndefined(handle.exitCode)
      await handle.sendStdin("it\n")
      const result = await handle.wait()
      assert.deepInclude(result, { stdout: "got it\n", exitCode: 42, success: false })
      assert.deepStrictEqual(await handle.wait(), result)
      assert.deepStrictEqual([handle.exitCode, handle.stdout], [42, "got it\n"])
      assert.instanceOf(await handle.sendStdin("late").catch((failure: unknown) => failure), Error)
    })

    it("variables of the sandbox are under those of a process", async () => {
      const handle = await spawn("echo $STAGE $KEPT $OWN", { env: { STAGE: "own", OWN: "added" } })
      assert.strictEqual((await handle.wait()).stdout, "own kept added\n")
    })

    it("output arrives while a process runs, by callbacks of its start and of a wait", async () => {
      const told: Array<string> = []
      // The second line is printed only after the first has arrived here.
      const handle = await spawn("echo one >&2; read go; echo two >&2", {
        onStderr: (text) => {
          told.push(text)
          if (told.length === 1) void handle.sendStdin("go\n")
        }
      })
      const waited: Array<string> = []
      await handle.wait({ onStderr: (text) => void waited.push(text) })
      assert.deepStrictEqual(told, ["one\n", "two\n"])
      assert.include(waited, "two\n")
    })

    it("an abort kills a process, whose output so far stays; an earlier abort does, too", async () => {
      const abort = new AbortController()
      const handle = await spawn("echo before; sleep 600", {
        abortSignal: abort.signal,
        onStdout: () => abort.abort()
      })
      assert.deepInclude(await handle.wait(), { stdout: "before\n", success: false, killed: true })
      const late = await spawn("sleep 600", { abortSignal: AbortSignal.abort() })
      assert.deepInclude(await late.wait(), { success: false, killed: true })
      const waiting = await spawn("sleep 600")
      assert.isFalse((await waiting.wait({ abortSignal: AbortSignal.abort() })).success)
    })

    it("the list has running and ended processes with their commands", async () => {
      const [running, ended] = await Promise.all([spawn("sleep 600"), spawn("echo done")])
      await ended.wait()
      const list = new Map((await sandbox.processes!.list()).map((one) => [one.pid, one]))
      assert.deepInclude(list.get(running.pid), { running: true, command: "sleep 600" })
      assert.deepInclude(list.get(ended.pid), { running: false, exitCode: 0 })
      assert.isTrue(await running.kill())
      assert.isFalse((await running.wait()).success)
      assert.isFalse(await running.kill())
    })

    it("a process is found with its output, once after its end, and not after the manager has killed it", async () => {
      const manager = sandbox.processes!
      const running = await spawn("echo out; sleep 600", { onStdout: () => arrived() })
      let arrived = () => {}
      const output = new Promise<void>((resolve) => (arrived = resolve))
      if (running.stdout === "") await output
      assert.strictEqual((await manager.get(running.pid))?.stdout, "out\n")
      assert.isTrue(await manager.kill(running.pid))
      assert.isUndefined(await manager.get(running.pid))
      assert.isFalse(await manager.kill(running.pid))
      const ended = await spawn("echo once")
      await ended.wait()
      assert.strictEqual((await manager.get(ended.pid))?.stdout, "once\n")
      assert.isUndefined(await manager.get(ended.pid))
      assert.isUndefined(await manager.get("99999"))
      assert.isFalse(await manager.kill("99999"))
    })

    it("the reader has the output and ends; the writer is the input", async () => {
      const handle = await spawn("head -n 1; echo rest")
      await new Promise<void>((resolve, reject) =>
        handle.writer.write("typed\n", (failure) => failure ? reject(failure) : resolve())
      )
      let text = ""
      for await (const piece of handle.reader) text += String(piece)
      assert.strictEqual(text, "typed\nrest\n")
      const cat = await spawn("cat")
      cat.writer.end("all\n")
      assert.deepInclude(await cat.wait(), { stdout: "all\n", exitCode: 0 })
    })
  })
})
