import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { until } from "../pyro-cli.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

const SECRET = "correct-horse-battery-staple"

/** A process and a child in another session. Each adds its name to a file at its start and at USR1, and ends with 4 at TERM. */
const FAMILY = `import os, signal, time
name = "main"
if os.fork() == 0:
  name = "other"
  os.setsid()
def say(*_):
  with open("got", "a") as got: got.write(name + " ")
signal.signal(signal.SIGUSR1, say)
signal.signal(signal.SIGTERM, lambda *_: os._exit(4))
say()
while True: time.sleep(0.02)`

/** Commands of workspaces as processes, whatever the VMM. */
export const processesSuite = (name: string, driver: LifecycleDriver) => {
  let client: WorkspacesClient
  beforeAll(async () => {
    client = await driver.open()
  })
  afterAll(() => driver.close(client))

  const { call, create, exec, logs, remove, sh, status } = operations(() => client)
  const failure = (work: Promise<unknown>) => work.then(() => "it succeeded", String)

  describe(`variables and directory of a workspace over ${name}`, { concurrent: false }, () => {
    const print = "echo \"$PWD $ONE $TWO\""

    it("each command has the variables and the directory of its workspace, and its own win", async () => {
      await create("a", { env: { ONE: "1", TWO: "2" }, cwd: "src" })
      const { cwd, env } = await status("a")
      assert.deepStrictEqual({ cwd, env }, { cwd: "src", env: { ONE: "1", TWO: "2" } })
      await call("exec", { workspace: "a", command: ["mkdir", "/workspace/src"], cwd: "." })
      assert.strictEqual(await sh("a", print), "/workspace/src 1 2")
      assert.strictEqual(await sh("a", print, { env: { TWO: "own" }, cwd: "/tmp" }), "/tmp 1 own")
      assert.strictEqual(await sh("a", print, { cwd: "." }), "/workspace 1 2")
    })

    it("shells and services have them, the check of a service too", async () => {
      const { shellId } = await call<{ readonly shellId: string }>("shell-open", {
        workspace: "a",
        command: ["sh", "-c", `${print}; sleep 1000`]
      })
      const screen = await call<{ readonly output: string }>("shell-read", {
        workspace: "a",
        shell_id: shellId,
        plain: true,
        wait_for: "1 2"
      })
      assert.include(screen.output, "/workspace/src 1 2")
      await call("shell-close", { workspace: "a", shell_id: shellId })
      await call("service-start", {
        workspace: "a",
        name: "s",
        script: `${print}; touch up; sleep 1000`,
        env: { TWO: "service" },
        ready_command: "[ -e up ] && [ \"$PWD $ONE $TWO\" = '/workspace/src 1 service' ]"
      })
      const { output } = await call<{ readonly output: string }>("service-logs", { workspace: "a", name: "s" })
      assert.strictEqual(output, "/workspace/src 1 service\n")
      await call("service-stop", { workspace: "a", name: "s" })
    })

    it("they stay through a stop, a start, a reset and a fork", async () => {
      await call("stop", { workspace: "a" })
      await call("start", { workspace: "a" })
      assert.strictEqual(await sh("a", print), "/workspace/src 1 2")
      await call("fork", { workspace: "a", name: "child", disk_only: true })
      assert.strictEqual(await sh("child", print), "/workspace/src 1 2")
      await call("reset", { workspace: "child" })
      assert.strictEqual(await sh("child", print, { cwd: "/" }), "/ 1 2")
      await remove("child")
    })

    it("the next daemon gives them to commands", async () => {
      await client.kill()
      assert.strictEqual(await sh("a", print), "/workspace/src 1 2")
    })

    it("update sets and removes them for later commands", async () => {
      await call("update", { workspace: "a", env: { TWO: "new" }, clear_env: ["ONE"], cwd: "/workspace" })
      const { cwd, env } = await status("a")
      assert.deepStrictEqual({ cwd, env }, { cwd: undefined, env: { TWO: "new" } })
      assert.strictEqual(await sh("a", print), "/workspace  new")
      await call("update", { workspace: "a", clear_env: ["TWO"] })
      assert.notProperty(await status("a"), "env")
    })

    it("a value of a secret and too many bytes are refused as variables, and change nothing", async () => {
      await call("update", { workspace: "a", secrets: { TOKEN: SECRET }, env: { ONE: "1" } })
      const refused = [
        failure(call("update", { workspace: "a", env: { TWO: `x${SECRET}` } })),
        failure(call("update", { workspace: "a", cwd: `/${SECRET}` })),
        failure(create("b", { env: { ONE: SECRET }, secrets: { TOKEN: SECRET } })),
        failure(call("update", { workspace: "a", secrets: { OTHER: "plain-as-day" }, env: { TWO: "plain-as-day" } }))
      ]
      for (const text of await Promise.all(refused)) assert.include(text, "pyro would store it")
      const long = await failure(call("update", { workspace: "a", env: { TWO: "x".repeat(16_384) } }))
      assert.include(long, "has 16395 bytes; a workspace has at most 16384")
      assert.deepStrictEqual((await status("a")).env, { ONE: "1" })
      assert.strictEqual(await sh("a", "echo ${TWO-none}"), "none")
    })
  })
  describe(`processes of commands over ${name}`, { concurrent: false }, () => {
    beforeAll(() => create("p"))

    const pidIn = async (execId: string) => (await status("p")).running?.find((one) => one.execId === execId)?.pid

    it("the caller, the log and the status of a running command have its process id in the guest", async () => {
      const ran = await exec("p", "echo $$")
      assert.strictEqual(ran.stdout, `${ran.pid}\n`)
      const started = await exec("p", "echo $$ > pid; exec sleep 1000", { detach: true })
      const { execId, pid } = started
      await until("its start", async () => await sh("p", "cat pid || true") === `${pid}`)
      const [ended, running] = (await logs("p")).filter((one) => [ran.execId, execId].includes(one.execId))
      assert.deepStrictEqual([ended?.pid, running?.pid], [undefined, pid])
      assert.strictEqual(await pidIn(execId), pid)
      await client.kill()
      assert.strictEqual(await pidIn(execId), pid)
      await call("cancel", { workspace: "p", exec_id: execId, grace_seconds: 0 })
    })

    it("a signal reaches the process, its group or the whole command", async () => {
      await sh("p", "rm -f got")
      const { execId } = await call<{ readonly execId: string }>("exec", {
        workspace: "p",
        command: ["python3", "-c", FAMILY],
        detach: true
      })
      const got = () => sh("p", "tr ' ' '\\n' < got | sort | xargs || true")
      const signal = (more: object) =>
        call<{ readonly signaled: boolean }>("signal", { workspace: "p", exec_id: execId.slice(0, 12), ...more })
      await until("both run", async () => await got() === "main other")
      assert.deepStrictEqual(await signal({ signal: "USR1" }), { execId, signaled: true } as never)
      await until("the process got it", async () => await got() === "main main other")
      await signal({ signal: "sigusr1", to: "group" })
      await until("the group got it", async () => await got() === "main main main other")
      await signal({ signal: "10", to: "command" })
      await until("the command got it", async () => await got() === "main main main main other other")
      await signal({ to: "command" })
      await until("its end", async () => !(await logs("p")).some(({ outcome }) => outcome === "running"))
      const ended = (await logs("p")).find((one) => one.execId === execId)
      assert.deepInclude(ended, { outcome: "exited", status: 4 })
      assert.isFalse((await signal({})).signaled)
      assert.include(await failure(signal({ signal: "NOPE" })), "must be a signal of Linux")
      assert.include(await failure(call("signal", { workspace: "p", exec_id: "f".repeat(32) })), "ExecNotFound")
    })

    it("the terminal of a detached command changes its size, and a command without one is refused", async () => {
      const script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.02; done"
      const { execId } = await exec("p", script, { detach: true, tty: true })
      const resize = (exec_id: string) =>
        call<{ readonly resized: boolean }>("resize", { workspace: "p", exec_id, rows: 40, cols: 132 })
      const output = async () =>
        (await call<{ readonly output: string }>("logs", { workspace: "p", exec_id: execId })).output
      await until("its start", async () => (await output()).includes("24 80"))
      assert.isTrue((await resize(execId)).resized)
      await until("the new size", async () => (await output()).includes("40 132"))
      await call("cancel", { workspace: "p", exec_id: execId, grace_seconds: 0 })
      assert.isFalse((await resize(execId)).resized)
      const plain = (await exec("p", "true")).execId
      assert.include(await failure(resize(plain)), "is a command without a terminal. Start it with one")
      const { shellId } = await call<{ readonly shellId: string }>("shell-open", {
        workspace: "p",
        command: ["sleep", "9"]
      })
      assert.include(await failure(resize(shellId)), `workspace.shell.resize {"workspace":"p"`)
      await call("shell-close", { workspace: "p", shell_id: shellId })
    })

    it("stdin of a detached command stays open for any caller and the next daemon, until it is closed", async () => {
      const started = await call<{ readonly execId: string }>("exec", {
        workspace: "p",
        command: ["cat"],
        detach: true,
        open_stdin: true
      })
      const stdin = (more: object) =>
        call<{ readonly writtenBytes: number; readonly ended: boolean }>("stdin", {
          workspace: "p",
          exec_id: started.execId,
          ...more
        })
      const output = async () =>
        (await call<{ readonly output: string }>("logs", { workspace: "p", exec_id: started.execId })).output
      assert.strictEqual((await stdin({ text: "one\n" })).writtenBytes, 4)
      await until("the first line", async () => await output() === "one\n")
      await client.kill()
      await stdin({ content: Buffer.from("two\n").toString("base64") })
      await until("the second line", async () => await output() === "one\ntwo\n")
      assert.include(await failure(stdin({})), "give bytes to write, or close stdin")
      assert.include(await failure(stdin({ text: "a", content: "YQ==" })), "cannot be combined")
      await stdin({ text: "end", close: true })
      await until(
        "its end",
        async () => (await logs("p")).some((one) => one.execId === started.execId && one.status === 0)
      )
      assert.strictEqual(await output(), "one\ntwo\nend")
      assert.deepInclude(await stdin({ text: "late", close: true }), { writtenBytes: 0, ended: true })
    })

    if (driver.capturesPrograms) {
      it("a fork has the open stdin of its own copy of a command", async () => {
        const { execId } = await exec("p", "cat", { detach: true, open_stdin: true })
        const write = (workspace: string, text: string, close = false) =>
          call("stdin", { workspace, exec_id: execId, text, close })
        const output = async (workspace: string) =>
          (await call<{ readonly output: string }>("logs", { workspace, exec_id: execId })).output
        await write("p", "both\n")
        await until("the first line", async () => await output("p") === "both\n")
        await call("fork", { workspace: "p", name: "q" })
        await write("q", "fork\n", true)
        await until("the fork's line", async () => await output("q") === "both\nfork\n")
        await write("p", "origin\n", true)
        await until("the origin's line", async () => await output("p") === "both\norigin\n")
        await remove("q")
      })
    }

    it("a closed stdin stays closed for the next daemon, and takes no bytes", async () => {
      const { execId } = await exec("p", "cat; sleep 1000", { detach: true, open_stdin: true })
      const stdin = (more: object) => call("stdin", { workspace: "p", exec_id: execId, ...more })
      await stdin({ close: true })
      await client.kill()
      await stdin({ close: true })
      assert.include(await failure(stdin({ text: "late" })), "whose stdin was closed before")
      assert.deepInclude(await logs("p").then((all) => all.find((one) => one.execId === execId)), {
        outcome: "running"
      })
      await call("cancel", { workspace: "p", exec_id: execId, grace_seconds: 0 })
    })

    it("a command that reads nothing blocks its writer with the bytes that it took, and one without open stdin refuses", async () => {
      const { execId } = await exec("p", "sleep 1000", { detach: true, open_stdin: true })
      const text = "x".repeat(400_000)
      const blocked = await failure(call("stdin", { workspace: "p", exec_id: execId, text }))
      assert.match(
        blocked,
        /StdinBlocked: command [0-9a-f]+ of workspace p reads no input: its stdin took \d+ of 400000 bytes/
      )
      await call("cancel", { workspace: "p", exec_id: execId, grace_seconds: 0 })
      const plain = (await exec("p", "sleep 1000", { detach: true })).execId
      const refused = await failure(call("stdin", { workspace: "p", exec_id: plain, text: "x" }))
      assert.include(
        refused,
        `without an open stdin. Start it with one: workspace.exec {"workspace":"p","open_stdin":true}`
      )
      await call("cancel", { workspace: "p", exec_id: plain, grace_seconds: 0 })
    })

    it("the log keeps the output of a command whose caller left, also what its handler printed", async () => {
      const exec_id = "a".repeat(32)
      const script = "trap 'echo ended; exit 3' INT; echo begun; while :; do sleep 0.02; done"
      await call("exec-abandoned", { workspace: "p", exec_id, script })
      const { commands: [entry], output } = await call<{
        readonly commands: ReadonlyArray<object>
        readonly output: string
      }>("logs", { workspace: "p", exec_id })
      assert.strictEqual(output, "begun\nended\n")
      assert.deepInclude(entry, { outcome: "exited", status: 3 })
    })
  })
}
