import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { programIn } from "../support/oci/probe.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const DOCKERFILE = `FROM scratch
COPY served /served
LABEL org.example.name="a server" org.example.long="${"x".repeat(2_000)}"
EXPOSE 8080 53/udp
VOLUME /data/kept
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=1s --timeout=20s --retries=3 CMD ["/served", "--check"]
ENTRYPOINT ["/served"]
`

const { folder, remove } = temporaryFolder("pyro-program-test-")
const small = ["--mem-mib", "256", "--disk-mib", "512"] as const
let pyro: ReturnType<typeof installation>

beforeAll(() => {
  programIn(folder, "served")
  fs.writeFileSync(path.join(folder, "Dockerfile"), DOCKERFILE)
  pyro = installation("pyro-program-")
})

afterAll(async () => {
  await pyro.close()
  remove()
})

const good = async (args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await pyro.call(args)
  assert.strictEqual(code, 0, `${args.join(" ")}: ${stderr}`)
  return { stderr, stdout: stdout.toString() }
}

const service = (...args: ReadonlyArray<string>) =>
  pyro.json<{ readonly state: string; readonly ready_check?: string; readonly output?: string }>(["service", ...args])

describe("the program of an image", { concurrent: false }, () => {
  it("a Dockerfile says it, and env inspect shows what it says", async () => {
    await good(["env", "build", "served", "--dockerfile", folder])
    const { image } = await pyro.json<{ readonly image: Record<string, unknown> }>(["env", "inspect", "served"])
    assert.deepInclude(image, {
      entrypoint: ["/served"],
      exposed_ports: ["53/udp", "8080/tcp"],
      stop_signal: "SIGQUIT",
      volumes: ["/data/kept"],
      health_check: { command: ["/served", "--check"], interval_ms: 1000, timeout_ms: 20_000, retries: 3 }
    })
    assert.deepInclude(image["labels"], { "org.example.name": "a server" })
    assert.notProperty(image["labels"], "org.example.long")
    assert.strictEqual(image["labels_left_out"], 1)
  })

  it("is what a run of the environment runs, by its own name, and its stop signal ends it", async () => {
    const { code, stderr, stdout } = await pyro.call(["run", "served", "--mem-mib", "256", "--timeout-seconds", "10"])
    assert.deepStrictEqual([code, stdout.toString()], [124, "waits\nended by 3\n"], stderr)
    assert.match(stderr, /listen on the ports 53\/udp, 8080\/tcp: run publishes none/)
  })

  it("is what a service without a command runs, which is ready when the health check says so", async () => {
    const { stderr } = await good(["create", "served", "--name", "w", ...small])
    assert.match(
      stderr,
      /^pyro: hint: the image's programs listen on the ports 53\/udp, 8080\/tcp: publish one with: pyro port publish w PORT$/m
    )
    const started = await service("start", "w", "web")
    assert.deepStrictEqual([started.state, started.ready_check], ["ready", "command /served --check"])
    assert.strictEqual((await service("stop", "w", "web")).state, "stopped")
    assert.strictEqual((await service("logs", "w", "web")).output, "waits\nended by 3\n")
    const stat = await pyro.json<{ readonly type: string }>(["file", "stat", "w", "/data/kept"])
    assert.strictEqual(stat.type, "directory")
  })

  it("with a command of its own, or another check, a service has neither signal nor check of the image", async () => {
    const own = await service("start", "w", "own", "--", "/served")
    assert.deepStrictEqual([own.state, own.ready_check], ["running", undefined])
    await service("stop", "w", "own")
    assert.strictEqual((await service("logs", "w", "own")).output, "waits\nended by 15\n")
    const other = await service("start", "w", "other", "--ready-file", "/served")
    assert.strictEqual(other.ready_check, "file /served")
    await service("stop", "w", "other")
    assert.strictEqual((await service("logs", "w", "other")).output, "waits\nended by 3\n")
  })

  it("stays in an environment of the workspace, and in forks", async () => {
    await good(["fork", "w", "--name", "f"])
    assert.strictEqual((await service("start", "f", "web")).state, "ready")
    await good(["delete", "f"])
    await good(["stop", "w"])
    await good(["commit", "w", "again"])
    const { stdout } = await pyro.call(["run", "again", "--mem-mib", "256", "--timeout-seconds", "10"])
    assert.strictEqual(stdout.toString(), "waits\nended by 3\n")
    const { image } = await pyro.json<{ readonly image: Record<string, unknown> }>(["env", "inspect", "again"])
    assert.deepInclude(image, { volumes: ["/data/kept"], stop_signal: "SIGQUIT" })
  })

  it("a run without a command of an environment that has none runs nothing", async () => {
    const { code, stderr } = await pyro.call(["run", "nosuch"])
    assert.deepStrictEqual([code, /nothing to run/.test(stderr)], [2, true], stderr)
  })
})
