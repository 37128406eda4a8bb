import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { regularFilesBeneath } from "../support/files/files-beneath.ts"
import { installation } from "../support/installation.ts"
import { makeTestAuthority } from "../support/network/certificates.ts"
import { networkHost } from "../support/network/host.ts"
import { serveMirrors } from "../support/network/mirrors/serve.ts"
import { passingTo, startDockerRegistry } from "../support/oci/docker-registry.ts"
import { digestOf, imageOf, indexOf, type TestImage } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { tokenServer } from "../support/oci/token-server.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const PASSWORD = "correct-horse-battery"
const LOGIN = `user:${PASSWORD}`
const BASIC = `Basic ${Buffer.from(LOGIN).toString("base64")}`
/** Bcrypt of the password, as htpasswd makes it. */
const HTPASSWD = "user:$2b$12$guV0FB6p1xDRfn4Ny0L2RuwLo5wUowmW8mCxCJ4QS8XRQfRxviaVa\n"

const { folder, remove } = temporaryFolder("pyro-registry-test-")
const seen: Array<string> = []
let image: TestImage
let requests: ReadonlyArray<string>
let close: () => Promise<void>
let pyro: ReturnType<typeof installation>

const place = (name: string) => {
  const directory = path.join(folder, name)
  fs.mkdirSync(directory, { recursive: true })
  return directory
}

beforeAll(async () => {
  // The cache that tests share has the layers of earlier runs.
  image = imageOf([[probeIn(folder), { name: "unique", data: randomUUID() }]], { Cmd: ["/probe"] })
  const other = imageOf([[{ name: "other", data: "of nobody else" }]], {})
  const images = {
    "team/app:1": image,
    "team/many:1": indexOf([{ image, architecture: "amd64" }]),
    "team/other:1": other
  }
  const { certificate, identityOf } = await makeTestAuthority()
  const identity = await identityOf("tokens.test.net")
  const bundle = path.join(folder, "tokens.pem")
  fs.writeFileSync(bundle, certificate)
  const htpasswd = path.join(folder, "htpasswd")
  fs.writeFileSync(htpasswd, HTPASSWD)
  const basic = await startDockerRegistry(place("basic"), images, { htpasswd: { realm: "tests", path: htpasswd } })
  const token = await startDockerRegistry(place("token"), images, {
    token: {
      realm: "https://tokens.test.net/service/token",
      service: "registry",
      issuer: "tests",
      rootcertbundle: bundle
    }
  })
  const answer = tokenServer(identity, BASIC, seen)
  const served = await serveMirrors([
    { hosts: ["basic.test.net"], answer: passingTo(basic.socket) },
    { hosts: ["token.test.net"], answer: passingTo(token.socket) },
    { hosts: ["tokens.test.net"], answer: async (request, response) => void answer(request, response) }
  ])
  requests = served.requests
  const host = await networkHost(undefined, served)
  const config = place("docker")
  pyro = installation("pyro-registry-", {
    enter: host.enter,
    env: { SSL_CERT_FILE: served.trustFile, DOCKER_CONFIG: config, LOGIN, WRONG: `user:not-${PASSWORD}` }
  })
  close = async () => {
    await pyro.close()
    await host.close()
    await served.close()
    await Promise.all([basic.close(), token.close()])
    remove()
  }
})

afterAll(() => close())

const writeConfig = (content: object) =>
  fs.writeFileSync(path.join(folder, "docker/config.json"), JSON.stringify(content))

const pull = (...words: ReadonlyArray<string>) => pyro.call(["env", "pull", ...words])

describe("registries that want a login", { concurrent: false }, () => {
  it("a private image is refused without one, and the error says how", async () => {
    const refused = await pyro.failure(["env", "pull", "basic.test.net/team/app:1"])
    assert.deepInclude(refused, { code: "image_pull_failed", reason: "unauthorized" })
    assert.match(refused.message, /docker login basic\.test\.net/)
  })

  it("a wrong password is refused, and not shown", async () => {
    const words = ["env", "pull", "basic.test.net/team/app:1", "--registry-auth-env", "basic.test.net=WRONG"]
    const refused = await pyro.failure(words)
    assert.deepInclude(refused, { code: "image_pull_failed", reason: "unauthorized", user: "user" })
    assert.notInclude(JSON.stringify(refused), PASSWORD)
  })

  it("a login that is a variable pulls by tag and by digest, and of an index", async () => {
    const login = ["--registry-auth-env", "basic.test.net=LOGIN"]
    for (const name of ["team/app:1", `team/app@${digestOf(image.manifest)}`, "team/many:1"]) {
      const pulled = await pull(`basic.test.net/${name}`, ...login)
      assert.strictEqual(pulled.code, 0, pulled.stderr)
      assert.notInclude(pulled.stderr, PASSWORD)
    }
    // The host keeps the layers, and asks the registry about each pull.
    const layer = JSON.parse(image.manifest.toString()).layers[0].digest as string
    const asked = requests.filter((one) => one.endsWith(`basic.test.net /v2/team/app/blobs/${layer}`))
    assert.strictEqual(asked.filter((one) => one.startsWith("GET")).length, 1, asked.join("\n"))
    const ran = await pyro.call(["run", "basic.test.net/team/app:1", "--mem-mib", "256"])
    assert.match(ran.stdout.toString(), /^uid=0 /, ran.stderr)
  })

  it("the login of docker login serves a registry with tokens, whose host is named", async () => {
    writeConfig({ auths: { "token.test.net": { auth: Buffer.from(LOGIN).toString("base64") } } })
    const refused = await pyro.failure(["env", "pull", "token.test.net/team/app:1"])
    assert.deepInclude(refused, { code: "image_pull_failed", reason: "policy" })
    assert.match(refused.message, /tokens\.test\.net/)
    const pulled = await pull("token.test.net/team/app:1", "--token-host", "tokens.test.net")
    assert.strictEqual(pulled.code, 0, pulled.stderr)
    assert.deepStrictEqual([...new Set(seen)], ["GET /service/token repository:team/app:pull"])
  })

  it("a build of a Dockerfile uses the login for its base image, and its programs see no password", async () => {
    writeConfig({ auths: { "basic.test.net": { auth: Buffer.from(LOGIN).toString("base64") } } })
    const context = place("context")
    fs.writeFileSync(
      path.join(context, "Dockerfile"),
      `FROM basic.test.net/team/app:1
RUN ["/probe", "/proc/self/environ", "/proc/1/environ", "/run/pyro-registries.json"]
RUN ["/absent"]
`
    )
    const built = await pyro.failure(["env", "build", "app", "--dockerfile", context, "--allow-host", "basic.test.net"])
    assert.match(built.message, /STEP 3\/3/)
    for (const text of [PASSWORD, Buffer.from(LOGIN).toString("base64")]) assert.notInclude(built.message, text)
  })

  it("a dev container's image and a project's Dockerfile get the same login", async () => {
    const devcontainer = place("devcontainer")
    const description = { image: "basic.test.net/team/app:1", containerEnv: { GREETING: "dev" } }
    fs.writeFileSync(path.join(devcontainer, ".devcontainer.json"), JSON.stringify(description))
    const project = place("project")
    fs.writeFileSync(path.join(project, "Dockerfile"), "FROM basic.test.net/team/app:1\nENV GREETING=project\n")
    fs.writeFileSync(path.join(project, "pyro.toml"), "name = \"up\"\ndockerfile = \".\"\nmemory = 256\n")
    writeConfig({ auths: {} })
    const allowed = ["--allow-registry", "basic.test.net"]
    const refused = await pyro.call(["create", "--devcontainer", devcontainer, "--name", "none", ...allowed])
    assert.match(refused.stderr, /unauthorized|authentication required/)
    writeConfig({ auths: { "basic.test.net": { auth: Buffer.from(LOGIN).toString("base64") } } })
    const made = [
      await pyro.call(["create", "--devcontainer", devcontainer, "--name", "dev", "--mem-mib", "256", ...allowed]),
      await pyro.call(["up", project, "--yes"])
    ]
    for (const { code, stderr } of made) assert.strictEqual(code, 0, stderr)
    for (const [name, greeting] of [["dev", "dev"], ["up", "project"]] as const) {
      const ran = await pyro.call(["exec", name, "--", "/probe", "/proc/self/environ"])
      assert.include(ran.stdout.toString(), `GREETING=${greeting}`, ran.stderr)
      assert.notInclude(ran.stdout.toString(), PASSWORD)
    }
    assert.strictEqual((await pyro.call(["delete", "dev", "up"])).code, 0)
  })

  it("a program with the placeholder pulls the repository and does nothing else", async () => {
    const created = await pyro.call([
      ...["create", "debian:12", "--name", "hostile", "--secret-env", "PASSWORD", "--allow-host", "basic.test.net"],
      ...["--secret-http", "PASSWORD@basic.test.net:authorization+pull=team/app"]
    ], { env: { PASSWORD } })
    assert.strictEqual(created.code, 0, created.stderr)
    const ask = async (...words: ReadonlyArray<string>) =>
      await pyro.sh(
        "hostile",
        `curl -s -o /dev/null -w '%{http_code}' -u "user:$PASSWORD" -H 'Accept: application/vnd.oci.image.manifest.v1+json' ${
          words.slice(0, -1).join(" ")
        } 'https://basic.test.net${words.at(-1)}'`
      )
    assert.strictEqual(await ask("/v2/team/app/manifests/1"), "200")
    for (
      const words of [
        ["/v2/team/other/manifests/1"],
        ["/v2/_catalog"],
        ["/v2/team/app/tags/list"],
        ["-X", "POST", "/v2/team/app/blobs/uploads/"],
        ["-X", "DELETE", `/v2/team/app/manifests/${digestOf(image.manifest)}`],
        ["--path-as-is", "/v2/team/app/blobs/../../other/manifests/1"],
        ["/v2/team/other/manifests/1?scope=repository:team/app:pull"]
      ]
    ) {
      assert.strictEqual(await ask(...words), "403", words.join(" "))
    }
    assert.strictEqual((await pyro.call(["delete", "hostile"])).code, 0)
  })

  it("no password is left in the state directory", () => {
    // Sockets aside, and disks of workspaces, which are gone.
    const files = regularFilesBeneath(pyro.state).filter((file) => fs.statSync(file).size < 64 * 1024 * 1024)
    assert.isNotEmpty(files)
    assert.deepStrictEqual(files.filter((file) => fs.readFileSync(file).includes(PASSWORD)), [])
  })
})
