import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-dockerfile-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>

beforeAll(async () => {
  registry = await startRegistry({ "plain:1": imageOf([[probeIn(folder)]], { Cmd: ["/probe"] }) })
  pyro = installation("pyro-dockerfile-")
})

afterAll(async () => {
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

describe("an environment of a Dockerfile", { concurrent: false }, () => {
  it("has the stages, files, variables, arguments and user that the Dockerfile names", async () => {
    const directory = context("good", {
      Dockerfile: `FROM ${registry.host}/plain:1 AS first
ARG WORD=unset
ENV GREETING=$WORD
COPY . /copied/
RUN ["/probe", "/copied/file"]
FROM ${registry.host}/plain:1
COPY --from=first /copied /second
ENV GREETING=second
USER 1234:50
WORKDIR /second
ENTRYPOINT ["/probe", "/second/file", "/second/left-out"]
HEALTHCHECK --interval=2s CMD ["/probe"]
`,
      ".dockerignore": "left-out\n",
      "file": "text",
      "left-out": "must stay"
    })
    const built = await pyro.call(["env", "build", "app", "--dockerfile", directory, "--build-arg", "WORD=given"])
    assert.strictEqual(built.code, 0, built.stderr)
    assert.match(built.stderr, /step \d+ of \d+: /)
    const ran = await pyro.call(["run", "app", "--mem-mib", "256", "--", "/probe", "/second/file", "/second/left-out"])
    assert.strictEqual(
      ran.stdout.toString(),
      "uid=1234 gid=50 cwd=/second GREETING=second /second/file=text /second/left-out=-\n",
      ran.stderr
    )
    // The image has no such file, and without one no name resolves.
    const network = ["--allow-host", "pypi", "--mem-mib", "256"]
    const named = await pyro.call(["run", "app", ...network, "--", "/probe", "/etc/resolv.conf"])
    assert.match(named.stdout.toString(), /resolv\.conf=nameserver /, named.stderr)
    const { image } = await pyro.json<{ readonly image: object }>(["env", "inspect", "app"])
    assert.deepInclude(image, { health_check: { command: ["/probe"], interval_ms: 2000 } })
    const taken = await pyro.failure(["env", "build", "app", "--dockerfile", directory])
    assert.strictEqual(taken.code, "environment_name_taken")
  })

  it("a step that fails is named with its last lines, and leaves nothing", async () => {
    const directory = context("bad", {
      Dockerfile: `FROM ${registry.host}/plain:1\nRUN ["/probe", "/etc/none"]\nRUN ["/absent"]\n`
    })
    const failed = await pyro.failure(["env", "build", "bad", "--dockerfile", directory])
    assert.strictEqual(failed.code, "environment_build_failed")
    assert.match(failed.message, /STEP 3\/3: RUN \["\/absent"\]/)
    const { environments } = await pyro.json<{ readonly environments: ReadonlyArray<{ readonly name: string }> }>(
      ["env", "list"]
    )
    assert.notInclude(environments.map(({ name }) => name), "bad")
    assert.deepStrictEqual(await pyro.list(), [])
  })

  it.each([
    [["--dockerfile", "/nonexistent"], /must be a directory with a Dockerfile/],
    [["--dockerfile", "/tmp", "--from", "debian:12"], /it excludes --from/]
  ])("%j is refused", async (words, said) => {
    const refused = await pyro.call(["env", "build", "none", ...words])
    assert.notStrictEqual(refused.code, 0)
    assert.match(refused.stderr, said)
  })
})
