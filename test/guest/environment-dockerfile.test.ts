import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect } from "../../src/sdk/connect.ts"
import { exampleOf, runExample } from "../support/documents/handle-examples.ts"
import { installation, smallSizes } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { probeIn, programIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

// The cache is shared: an earlier run's environment must not be found.
const NAME = `app${process.pid}`

const { folder, remove } = temporaryFolder("pyro-dockerfile-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>

beforeAll(async () => {
  registry = await startRegistry({ "plain:1": imageOf([[probeIn(folder)]], { Cmd: ["/probe"] }) })
  pyro = installation("pyro-dockerfile-")
})

afterAll(async () => {
  await pyro.call(["delete", "--all", "--yes"])
  await pyro.call(["env", "rm", NAME])
  await pyro.close()
  await registry.close()
  remove()
})

const context = (name: string, files: Readonly<Record<string, string>>) => {
  const directory = path.join(folder, name)
  fs.mkdirSync(directory)
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, file), text)
  return directory
}

const good = async (args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await pyro.call(args)
  assert.strictEqual(code, 0, `${args.join(" ")}: ${stderr}`)
  return { stderr, stdout: stdout.toString() }
}

const service = (...args: ReadonlyArray<string>) =>
  pyro.json<{ readonly state: string; readonly ready_check?: string; readonly output?: string }>(["service", ...args])

/** The word of the person for the tests' own registry. */
const allowed = () => ["--allow-host", registry.host]

/** Two stages, and a program that stays, with all that an image says of its program. */
const dockerfile = () =>
  `ARG TAG=1
FROM ${registry.host}/plain:\${TAG} AS first
ARG WORD=unset
ENV GREETING=$WORD
COPY . /copied/
RUN ["/probe", "/copied/file"]
FROM ${registry.host}/plain:1
COPY --from=first /copied /second
COPY served /served
ENV GREETING=second
LABEL org.example.name="a server" org.example.long="${"x".repeat(2_000)}"
EXPOSE 8080 53/udp
VOLUME /data/kept
STOPSIGNAL SIGQUIT
USER 1234:50
WORKDIR /second
HEALTHCHECK --interval=1s --timeout=20s --retries=3 CMD ["/served", "--check"]
ENTRYPOINT ["/served"]
`

describe("an environment of a Dockerfile", { concurrent: false }, () => {
  it("has the stages, files, variables, arguments and user that the Dockerfile names", async () => {
    const directory = context("good", {
      Dockerfile: dockerfile(),
      ".dockerignore": "left-out\n",
      "file": "text",
      "left-out": "must stay"
    })
    programIn(directory, "served")
    const built = await pyro.call([
      "env",
      "build",
      NAME,
      "--dockerfile",
      directory,
      ...allowed(),
      "--build-arg",
      "WORD=given"
    ])
    assert.strictEqual(built.code, 0, built.stderr)
    assert.match(built.stderr, /step \d+ of \d+: /)
    const ran = await pyro.call(["run", NAME, "--mem-mib", "256", "--", "/probe", "/second/file", "/second/left-out"])
    assert.strictEqual(
      ran.stdout.toString(),
      "uid=1234 gid=50 cwd=/second GREETING=second /second/file=text /second/left-out=-\n",
      ran.stderr
    )
    // The image has no such file, and without one no name resolves.
    const network = ["--allow-host", "pypi", "--mem-mib", "256"]
    const named = await pyro.call(["run", NAME, ...network, "--", "/probe", "/etc/resolv.conf"])
    assert.match(named.stdout.toString(), /resolv\.conf=nameserver /, named.stderr)
    const taken = await pyro.failure(["env", "build", NAME, "--dockerfile", directory, ...allowed()])
    assert.strictEqual(taken.code, "environment_name_taken")
  })

  it("env inspect shows what the Dockerfile says of its program", async () => {
    const { image } = await pyro.json<{ readonly image: Record<string, unknown> }>(["env", "inspect", NAME])
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

  it("the program is what a run of the environment runs, by its own name, and its stop signal ends it", async () => {
    const { code, stderr, stdout } = await pyro.call(["run", NAME, "--mem-mib", "256", "--timeout-seconds", "10"])
    assert.deepStrictEqual([code, stdout.toString()], [124, "waits\nended by 3\n"], stderr)
    assert.match(stderr, /listen on the ports 53\/udp, 8080\/tcp\. A run publishes none/)
  })

  it("the program is what a service without a command runs, which is ready when the health check says so", async () => {
    const { stderr } = await good(["create", NAME, "--name", "w", ...smallSizes])
    assert.match(
      stderr,
      /^pyro: hint: the image's programs listen on the ports 53\/udp, 8080\/tcp\. Publish one: pyro port publish w PORT$/m
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

  it("the program stays in forks, and in an environment of the workspace, which the docstring's example makes", async () => {
    await good(["fork", "w", "--name", "f"])
    assert.strictEqual((await service("start", "f", "web")).state, "ready")
    await good(["delete", "f"])
    const before = process.env["PYRO_STATE_DIR"]
    process.env["PYRO_STATE_DIR"] = pyro.state
    try {
      await using client = connect()
      const workspace = await client.get("w")
      await runExample(exampleOf("WorkspaceLife.commit"), client, workspace!)
    } finally {
      if (before === undefined) delete process.env["PYRO_STATE_DIR"]
      else process.env["PYRO_STATE_DIR"] = before
    }
    const { stdout } = await pyro.call(["run", "installed", "--mem-mib", "256", "--timeout-seconds", "10"])
    assert.strictEqual(stdout.toString(), "waits\nended by 3\n")
    const { image } = await pyro.json<{ readonly image: Record<string, unknown> }>(["env", "inspect", "installed"])
    assert.deepInclude(image, { volumes: ["/data/kept"], stop_signal: "SIGQUIT" })
    await good(["env", "rm", "installed"])
  })

  it("a run without a command of an environment that has none runs nothing", async () => {
    const { code, stderr } = await pyro.call(["run", "nosuch"])
    assert.deepStrictEqual([code, /nothing to run/.test(stderr)], [2, true], stderr)
  })

  it("a Dockerfile's text opens no service of this host to its build", async () => {
    const other = await startRegistry({})
    try {
      const [, port] = other.host.split(":")
      const Dockerfile = `FROM ${registry.host}/plain:1
CMD ["/probe"] \\
FROM ${other.host}/x
ADD http://host.pyro.internal:${port}/x /x
`
      const refused = await pyro.failure([
        ...["env", "build", "hostile", "--dockerfile", context("hostile", { Dockerfile })],
        ...allowed()
      ])
      assert.strictEqual(refused.code, "environment_build_failed")
      assert.include(refused.message, `Allow those that you trust: --allow-host host.pyro.internal:${port}`)
      const asked = await pyro.failure([
        ...["env", "build", "hostile", "--dockerfile", context("open", { Dockerfile: `FROM ${other.host}/x\n` })],
        ...allowed()
      ])
      assert.deepInclude(asked, {
        code: "registry_not_allowed",
        next: [{ label: "Allow it if you trust it", option: "allow_hosts", value: [`localhost:${port}`] }]
      })
      assert.deepStrictEqual(other.requests, [])
    } finally {
      await other.close()
    }
  })

  // test/images/steps.test.ts has a step that fails.
  it.each([
    [["--dockerfile", "/nonexistent"], /must be a directory with a Dockerfile/],
    [["--dockerfile", "/tmp", "--from", "debian:12"], /it excludes a base/]
  ])("%j is refused", async (words, said) => {
    const refused = await pyro.call(["env", "build", "none", ...words])
    assert.notStrictEqual(refused.code, 0)
    assert.match(refused.stderr, said)
  })
})
