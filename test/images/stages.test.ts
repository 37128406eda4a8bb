import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, smallSizes } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-stages-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>

beforeAll(async () => {
  registry = await startRegistry({ "plain:1": imageOf([[probeIn(folder)]], { Cmd: ["/probe"] }) })
  pyro = installation("pyro-stages-")
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

describe("the stages of a Dockerfile", { concurrent: false }, () => {
  it("another stage is another image, which --replace gives the same name", async () => {
    const directory = path.join(folder, "context")
    fs.mkdirSync(directory)
    fs.writeFileSync(path.join(directory, "file"), "text")
    const stages = [`FROM ${registry.host}/plain:1 AS first`, "ENV STAGE=first", "COPY . /copied/"]
    const dockerfile = [...stages, "FROM first", "ENV GREETING=last", "USER 1234:50", ""].join("\n")
    fs.writeFileSync(path.join(directory, "Dockerfile"), dockerfile)
    const run = async () => {
      const ran = await pyro.call(["run", "app", "--mem-mib", "256", "--", "/probe", "/copied/file"])
      return `${ran.stdout}${ran.stderr}`
    }
    const last = await pyro.call(["env", "build", "app", "--dockerfile", directory, "--allow-host", registry.host])
    assert.strictEqual(last.code, 0, last.stderr)
    assert.include(await run(), "uid=1234 gid=50 cwd=/workspace GREETING=last /copied/file=text\n")
    const words = [
      "env",
      "build",
      "app",
      "--replace",
      "--dockerfile",
      "Dockerfile",
      "--target",
      "first",
      "--allow-host",
      registry.host
    ]
    const built = await pyro.call(words, { cwd: directory })
    assert.strictEqual(built.code, 0, built.stderr)
    assert.include(await run(), "uid=0 gid=0 cwd=/workspace GREETING= /copied/file=text\n")
  })

  it("create --dockerfile builds the environment of a directory, and copies the directory", async () => {
    const directory = path.join(folder, "created")
    fs.mkdirSync(directory)
    fs.writeFileSync(path.join(directory, "file"), "text")
    fs.writeFileSync(path.join(directory, "Dockerfile"), `FROM ${registry.host}/plain:1\nENV GREETING=created\n`)
    const words = ["create", "--dockerfile", directory, "--name", "created", ...smallSizes]
    assert.strictEqual((await pyro.failure(words)).code, "registry_not_allowed")
    const made = await pyro.call([...words, "--allow-registry", registry.host])
    assert.strictEqual(made.code, 0, made.stderr)
    const ran = await pyro.call(["exec", "created", "--", "/probe", "file"])
    assert.include(`${ran.stdout}${ran.stderr}`, "GREETING=created file=text")
    const both = await pyro.failure(["create", "--dockerfile", directory, "--devcontainer", directory])
    assert.deepInclude(both, { code: "invalid_request", field: "--dockerfile" })
    await pyro.json(["delete", "created"])
  })
})
