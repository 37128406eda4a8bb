import { compute } from "computesdk"
import { pyro } from "pyro/computesdk"
import { connect } from "pyro/promises"
import { assert, describe, it } from "vitest"
import { ownPyro, small } from "./own-pyro.ts"

ownPyro()
const provider = pyro(small)

describe("ComputeSDK on pyro", () => {
  it("a program works through compute alone, and destroys what it has made", async () => {
    compute.setConfig({ provider })
    const sandbox = await compute.sandbox.create({
      envs: { STAGE: "test" },
      metadata: { run: 7, thread: "https://a.example/1" }
    })
    await sandbox.filesystem.writeFile("/workspace/sum.py", "import sys\nprint(sum(map(int, sys.argv[1:])))\n")
    const { exitCode, stdout } = await sandbox.runCommand("python3 sum.py 2 3; echo $STAGE; exit 4")
    assert.deepStrictEqual([exitCode, stdout], [4, "5\ntest\n"])
    const info = await sandbox.getInfo()
    assert.deepInclude(info, { id: sandbox.sandboxId, provider: "pyro", status: "running" })
    assert.deepInclude(info.metadata, { run: "7", thread: "https://a.example/1" })
    const again = await compute.sandbox.getById(sandbox.sandboxId)
    assert.strictEqual(await again?.filesystem.readFile("/workspace/sum.py").then((text) => text.length > 0), true)
    await compute.sandbox.destroy(sandbox.sandboxId)
    await compute.sandbox.destroy(sandbox.sandboxId)
    assert.isNull(await compute.sandbox.getById(sandbox.sandboxId))
  })

  it("output arrives while a command runs, and the result has all of it once", async () => {
    await using own = await held()
    const { sandbox } = own
    const out: Array<string> = []
    const err: Array<string> = []
    // The second line is printed only after the first has arrived here.
    const result = await sandbox.runCommand(
      "echo one; until [ -e go ]; do sleep 0.1; done; echo two; echo bad >&2; exit 3",
      {
        onStdout: (text) => {
          out.push(text)
          if (out.length === 1) void sandbox.filesystem.writeFile("/workspace/go", "")
        },
        onStderr: (text) => err.push(text)
      }
    )
    assert.deepStrictEqual([out, err], [["one\n", "two\n"], ["bad\n"]])
    assert.deepInclude(result, { exitCode: 3, stdout: "one\ntwo\n", stderr: "bad\n" })
  })

  it("the directory, the variables and the timeout of a command hold, and a background command goes on", async () => {
    await using own = await held()
    const { runCommand } = bound(own.sandbox)
    assert.strictEqual(
      (await runCommand("pwd; echo $A", { cwd: "/tmp", env: { A: "it's \"one\" $HOME" } })).stdout,
      "/tmp\nit's \"one\" $HOME\n"
    )
    assert.strictEqual((await runCommand("sleep 60", { timeout: 500 })).exitCode, 124)
    assert.deepInclude(await runCommand("no-such-command"), { exitCode: 127, stdout: "" })
    assert.strictEqual((await runCommand("true", { cwd: "/no/such/directory" })).exitCode, 127)
    assert.deepInclude(await runCommand("sleep 1; echo done >/tmp/later", { background: true }), { exitCode: 0 })
    assert.strictEqual(
      (await runCommand("until [ -e /tmp/later ]; do sleep 0.1; done; cat /tmp/later")).stdout,
      "done\n"
    )
  })

  it("files have odd names, directories are made whole, and absent files are told", async () => {
    await using own = await held()
    const { filesystem } = own.sandbox
    const odd = "/tmp/a b/'q' \"d\" $x\n*/ü.txt"
    await filesystem.writeFile(odd, "content\n")
    assert.strictEqual(await filesystem.readFile(odd), "content\n")
    await filesystem.mkdir("/tmp/one/two")
    await filesystem.mkdir("/tmp/one/two")
    await filesystem.writeFile("/tmp/one/file", "12345")
    const entries = (await filesystem.readdir("/tmp/one")).map((
      { name, size, type }
    ) => [name, type, type === "file" ? size : 0])
    assert.deepStrictEqual(entries, [["file", "file", 5], ["two", "directory", 0]])
    await filesystem.remove("/tmp/one")
    await filesystem.remove("/tmp/one")
    assert.isFalse(await filesystem.exists("/tmp/one/file"))
    await rejects(filesystem.readFile("/tmp/none"), /none/)
    await rejects(filesystem.readdir("/tmp/none"), /none/)
  })

  it("a port has one URL, however often it is asked for", async () => {
    await using own = await held()
    const { sandbox } = own
    await sandbox.runCommand("echo served >page; python3 -m http.server 3000 >/dev/null 2>&1", { background: true })
    const urls = await Promise.all([1, 2, 3].map(() => sandbox.getUrl({ port: 3000 })))
    assert.strictEqual(new Set(urls).size, 1)
    assert.match(await sandbox.getUrl({ port: 3000, protocol: "ws" }), /^ws:\/\/127\.0\.0\.1:\d+$/)
    await sandbox.runCommand("until (: </dev/tcp/127.0.0.1/3000) 2>/dev/null; do sleep 0.1; done")
    assert.strictEqual(await (await fetch(`${urls[0]}/page`)).text(), "served\n")
  })

  it("a snapshot starts sandboxes with the files and the processes, also after its own sandbox is gone", async () => {
    const own = await held()
    await own.sandbox.runCommand("echo kept >f; sleep 987654", { background: true })
    await own.sandbox.runCommand("until pgrep -x sleep; do sleep 0.1; done")
    const snapshot = await provider.snapshot!.create(own.sandbox.sandboxId, { name: "warm" })
    assert.deepInclude(snapshot, { id: "warm", provider: "pyro", kind: "memory" })
    const listed = await provider.snapshot!.list({ sandboxId: own.sandbox.sandboxId })
    assert.deepStrictEqual(listed.map(({ id }) => id), ["warm"])
    await own[Symbol.asyncDispose]()
    const copy = await provider.sandbox.create({ snapshotId: "warm", envs: { STAGE: "copy" } })
    const { stdout } = await copy.runCommand("cat f; echo $STAGE; pgrep -cx sleep")
    assert.strictEqual(stdout, "kept\ncopy\n1\n")
    await provider.snapshot!.delete("warm")
    await provider.snapshot!.delete("warm")
    assert.deepStrictEqual(await provider.snapshot!.list(), [])
    await copy.destroy()
    await rejects(provider.sandbox.create({ snapshotId: "warm" }), /warm/)
    await rejects(provider.snapshot!.create(own.sandbox.sandboxId), /no sandbox/)
  })

  it("the list has the provider's sandboxes, and none that a person made", async () => {
    await using client = connect()
    await using other = await client.create(small)
    await using own = await held()
    const ids = (await provider.sandbox.list()).map(({ sandboxId }) => sandboxId)
    assert.deepStrictEqual([ids.includes(own.sandbox.sandboxId), ids.includes(other.id)], [true, false])
  })
})

const held = async () => {
  const sandbox = await provider.sandbox.create()
  return { sandbox, [Symbol.asyncDispose]: () => sandbox.destroy() }
}

const bound = (sandbox: Awaited<ReturnType<typeof held>>["sandbox"]) => ({
  runCommand: (...args: Parameters<typeof sandbox.runCommand>) => sandbox.runCommand(...args)
})

const rejects = (work: Promise<unknown>, message: RegExp) =>
  work.then(() => assert.fail("it was to fail"), (failure: Error) => assert.match(failure.message, message))
