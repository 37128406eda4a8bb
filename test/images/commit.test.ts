import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { ociArchive } from "../support/oci/archive.ts"
import { imageOf } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-commits-test-")
let pyro: ReturnType<typeof installation>

beforeAll(() => {
  pyro = installation("pyro-commits-")
})

afterAll(async () => {
  await pyro.close()
  remove()
})

const small = ["--mem-mib", "256", "--disk-mib", "512"] as const
const good = async (args: ReadonlyArray<string>, input?: Uint8Array) => {
  const { code, stderr, stdout } = await pyro.call(args, input === undefined ? {} : { input })
  assert.strictEqual(code, 0, `${args.join(" ")}: ${stderr}`)
  return stdout.toString()
}

describe("an environment of a workspace, beyond the common case", { concurrent: false }, () => {
  it("needs no program of an image, also of a stopped workspace, and a further commit is over the first", async () => {
    const image = imageOf([[probeIn(folder), { name: "app/", type: "5" }]], { Env: ["GREETING=image"], User: "12:34" })
    await good(["env", "import", "-", "--name", "scratch"], ociArchive([{ image }]))
    await good(["create", "scratch", "--name", "bare", ...small])
    await good(["file", "write", "bare", "/app/first", "--text", "first"])
    await good(["stop", "bare"])
    await good(["commit", "bare", "once"])
    assert.strictEqual((await pyro.failure(["commit", "bare", "once"])).code, "environment_name_taken")
    await good(["create", "once", "--name", "second", ...small])
    await good(["file", "write", "second", "/app/second", "--text", "second"])
    await good(["commit", "second", "twice"])
    assert.strictEqual(
      await good(["run", "twice", "--mem-mib", "256", "--", "/probe", "/app/first", "/app/second"]),
      "uid=12 gid=34 cwd=/workspace GREETING=image /app/first=first /app/second=second\n"
    )
    await good(["delete", "bare", "second"])
  })

  it("of a paused workspace resumes it, and its processes go on", async () => {
    await good(["create", "debian:13-base", "--name", "rests", ...small])
    const counting = "echo made >/etc/made; n=0; while :; do n=$((n + 1)); echo $n >/run/count; sleep 0.1; done"
    await good(["exec", "rests", "--detach", "--", "sh", "-c", counting])
    await good(["exec", "rests", "--", "sh", "-c", "until [ -s /run/count ]; do sleep 0.1; done"])
    await good(["pause", "rests"])
    assert.strictEqual((await pyro.status("rests")).state, "paused")
    await good(["commit", "rests", "rested"])
    assert.strictEqual((await pyro.status("rests")).state, "running")
    const stillRunning =
      "before=$(cat /run/count); until [ \"$(cat /run/count)\" -gt \"$before\" ]; do sleep 0.1; done; cat /etc/made"
    assert.strictEqual(await good(["exec", "rests", "--", "sh", "-c", stillRunning]), "made\n")
    assert.strictEqual(await good(["run", "rested", "--mem-mib", "256", "--", "cat", "/etc/made"]), "made\n")
    await good(["delete", "rests"])
  })

  it("a workspace with secrets is refused, and a directory that is none leaves nothing", async () => {
    await good(["create", "debian:13-base", "--name", "secret", "--secret", "TOKEN=hidden-value", ...small])
    const refused = await pyro.call(["commit", "secret", "leaky"])
    assert.match(refused.stderr, /--allow-secrets/)
    const wrong = await pyro.call(["commit", "secret", "leaky", "--allow-secrets", "--workspace-as", "/etc/passwd"])
    assert.match(wrong.stderr, /\/etc\/passwd is no directory/)
    const { environments } = await pyro.json<{ readonly environments: ReadonlyArray<{ readonly name: string }> }>([
      "env",
      "list"
    ])
    assert.notInclude(environments.map(({ name }) => name), "leaky")
    assert.deepStrictEqual((await pyro.list()).map(({ name }) => name), ["secret"])
  })
})
