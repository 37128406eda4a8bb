import { createHash, randomBytes } from "node:crypto"
import process from "node:process"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect, type PyroClient, PyroError } from "../../src/sdk/connect.ts"
import { installation } from "../support/installation.ts"
import { startPyro } from "../support/pyro-cli.ts"
import { settlesAs } from "../support/settled.ts"

/** The code of a promise's rejection. */
const rejection = (work: Promise<unknown>): Promise<string> =>
  work.then(() => "it did not fail", (cause: unknown) => cause instanceof PyroError ? cause.code : String(cause))

describe("files of a workspace by the handle, through the daemon", () => {
  const own = installation("pyro-handle-files-")
  const before = process.env["PYRO_STATE_DIR"]
  let pyro: PyroClient
  beforeAll(() => {
    process.env["PYRO_STATE_DIR"] = own.state
    pyro = connect()
  })
  afterAll(async () => {
    await pyro.close()
    if (before === undefined) delete process.env["PYRO_STATE_DIR"]
    else process.env["PYRO_STATE_DIR"] = before
    await own.close()
  })
  const create = (name: string) => pyro.create({ name, memoryMib: 256 })

  it("a stopped workspace gives its files as a stream, and stays stopped", async () => {
    await using ws = await create("rests")
    const content = randomBytes(5_000_000)
    await ws.files.write(
      "sub/large",
      (async function*() {
        for (let at = 0; at < content.length; at += 300_000) yield content.subarray(at, at + 300_000)
      })()
    )
    await ws.stop()
    const hash = createHash("sha256")
    for await (const bytes of ws.files.stream("sub/large")) hash.update(bytes)
    assert.strictEqual(hash.digest("hex"), createHash("sha256").update(content).digest("hex"))
    assert.deepStrictEqual(
      [...await ws.files.read("sub/large", { offset: 4_999_990, length: 100 })],
      [...content.subarray(4_999_990)]
    )
    assert.strictEqual((await ws.status()).state, "stopped")
    assert.strictEqual(await rejection(ws.files.write("sub/large", "new")), "workspace_not_ready")
    assert.strictEqual(await rejection(ws.files.watch().getReader().read()), "workspace_not_ready")
  })

  it("an upload whose client dies leaves the old file and nothing else", async () => {
    await using ws = await create("uploads")
    await ws.files.write("place/file", "old")
    const names = async () => (await ws.exec("ls -A place")).stdout.split("\n").filter((name) => name !== "").sort()
    const { child, finished } = startPyro(["file", "upload", "uploads", "place/file"], {
      env: { PYRO_STATE_DIR: own.state },
      openStdin: true
    })
    child.stdin!.on("error", () => {})
    child.stdin!.write(Buffer.alloc(1_000_000, "new"))
    // The draft is beside the file until the end of the input, which does not come.
    await settlesAs(async () => (await names()).map((name) => name.replace(/^\.pyro-\w+/, "draft")), ["draft", "file"])
    child.kill("SIGKILL")
    await finished
    await settlesAs(names, ["file"])
    assert.strictEqual(await ws.files.readText("place/file"), "old")
  })

  it("a pause, a reset, a stop and a deletion end a watch with a typed error", async () => {
    const ws = await create("watched")
    for (const end of [ws.pause, ws.reset, ws.stop, ws.delete]) {
      await ws.start()
      const reader = ws.files.watch().getReader()
      assert.deepStrictEqual(await reader.read(), { done: false, value: { _tag: "Watching", path: "." } })
      const failure = rejection(reader.read())
      await end()
      assert.strictEqual(await failure, "workspace_not_ready")
    }
    assert.strictEqual(await rejection(ws.files.watch().getReader().read()), "workspace_not_found")
  })
})
