import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"

const own = installation("pyro-docker-inside-")
const { call, json, sh } = own
const LOCAL = "host.pyro.internal"

/** A service of the host that the workspace may not reach. */
const forbidden = http.createServer((_, response) => response.end("forbidden"))
let registry: TestRegistry
/** The registry and its image, as the guest names them. */
let registryHost = ""
let image = ""
let port = 0

const program = () => {
  const file = path.join(own.folder, "net")
  execFileSync("musl-gcc", ["-static", "-O2", "-o", file, path.join(import.meta.dirname, "../fixtures/docker/net.c")])
  return fs.readFileSync(file)
}

const project = (files: Readonly<Record<string, string>>) => {
  const directory = path.join(own.folder, "project")
  fs.mkdirSync(directory)
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, name), text)
  return directory
}

/** What `net` prints in a container, whether it fails or not. */
const inContainer = async (...words: ReadonlyArray<string>) => sh("dock", `docker run --rm ${words.join(" ")} || true`)

const published = async (workspace: string) =>
  (await json<{ readonly ports: ReadonlyArray<{ readonly guest_port: number; readonly host_port: number }> }>(
    ["port", "list", workspace]
  )).ports.find(({ guest_port }) => guest_port === 8080)!.host_port

const answer = async (hostPort: number) => (await (await fetch(`http://127.0.0.1:${hostPort}/`)).text()).trim()

beforeAll(async () => {
  registry = await startRegistry({
    "net:1": imageOf([[{ name: "net", data: program() }]], { Entrypoint: ["/net"] })
  })
  await new Promise<void>((resolve) => forbidden.listen(0, "127.0.0.1", resolve))
  registryHost = registry.host.replace("127.0.0.1", LOCAL)
  image = `${registryHost}/net:1`
  const directory = project({
    Dockerfile: `FROM ${image}\nRUN ["/net", "get", "${LOCAL}", "${
      registryHost.split(":")[1]
    }", "/v2/"]\nCMD ["serve", "8000"]\n`,
    "Refused": `FROM ${image}\nRUN ["/net", "get", "${LOCAL}", "${(forbidden.address() as AddressInfo).port}", "/"]\n`,
    "compose.yaml": `services:
  back:
    build: .
  front:
    build: .
    command: ["serve", "8000", "back", "8000"]
    ports: ["8080:8000"]
    depends_on: [back]
`
  })
  const sizes = ["--mem-mib", "1024", "--disk-mib", "2048"]
  await json(
    ["create", "debian:13-docker", "--name", "dock", ...sizes, "--seed-path", directory, "--allow-host", registryHost]
  )
  await sh("dock", `printf '{ "insecure-registries": ["%s"] }' ${registryHost} > /etc/docker/daemon.json`)
})

afterAll(async () => {
  await call(["delete", "--all"])
  await own.close()
  await registry.close()
  forbidden.close()
})

describe("debian:13-docker", { concurrent: false }, () => {
  it("Docker runs from its first use on, also for the user agent, and has its data on the disk's own file system", async () => {
    assert.strictEqual(await sh("dock", "pgrep -c dockerd || true"), "0")
    const driver = ["docker", "info", "--format", "{{.Driver}} {{.CgroupVersion}}"]
    const { stderr, stdout } = await call(["exec", "dock", "--user", "agent", "--", ...driver])
    assert.strictEqual(stdout.toString().trim(), "overlay2 2", stderr)
    assert.strictEqual(await sh("dock", "pgrep -c dockerd"), "1")
  })

  it("pulls from a registry that the policy allows, and containers reach this host alone", async () => {
    await sh("dock", `docker pull --quiet ${image}`)
    const [, allowed] = registryHost.split(":")
    const refused = String((forbidden.address() as AddressInfo).port)
    const targets = [[LOCAL, allowed!, "/v2/"], [LOCAL, refused, "/"], ["example.org", "80", "/"], [
      "203.0.113.10",
      "80",
      "/"
    ]]
    for (const network of ["bridge", "host"]) {
      assert.strictEqual(
        await inContainer("--privileged", "--network", network, image, "get", ...targets.flat()),
        ["{}", "Connection refused", "unknown host", "Connection refused"].join("\n")
      )
    }
    const { entries } = await json<{ readonly entries: ReadonlyArray<{ readonly host: string }> }>(
      ["network", "log", "dock", "--denied"]
    )
    assert.includeMembers(entries.map(({ host }) => host), [LOCAL, "example.org", "203.0.113.10"])
  })

  it("builds with the same network, and a step that the policy refuses fails", async () => {
    await sh("dock", "docker build --quiet -t app .")
    assert.notStrictEqual((await call(["exec", "dock", "--", "docker", "build", "--file", "Refused", "."])).code, 0)
  })

  it("compose runs two services that find each other by name, behind a published port", async () => {
    await sh("dock", "docker compose up --detach --quiet-pull")
    port = (await json<{ readonly host_port: number }>(["port", "publish", "dock", "8080"])).host_port
    assert.strictEqual(await answer(port), "1 and 1")
    assert.strictEqual(await answer(port), "2 and 2")
  })

  it("containers are among the programs that pyro stops while it makes a fork unique", async () => {
    const groups = await sh(
      "dock",
      "cat $(docker ps -q --no-trunc | sed 's|.*|/sys/fs/cgroup/pyro/docker/&/cgroup.procs|')"
    )
    assert.lengthOf(groups.split("\n"), 2)
  })

  it("containers go on in a fork, apart from those of the source", async () => {
    await json(["fork", "dock", "--name", "try"])
    const other = await published("try")
    assert.strictEqual(await answer(other), "3 and 3")
    assert.strictEqual(await answer(other), "4 and 4")
    assert.strictEqual(await answer(port), "3 and 3")
    assert.strictEqual(await sh("try", "docker ps --quiet | wc -l"), "2")
    await json(["delete", "try"])
  })

  it("containers go on after a pause", async () => {
    await json(["pause", "dock"])
    assert.strictEqual(await answer(port), "4 and 4")
    assert.strictEqual(await sh("dock", "docker ps --quiet | wc -l"), "2")
  })

  it("Docker that was killed has its images after its next use", async () => {
    await sh("dock", "pkill -KILL dockerd; while pgrep dockerd; do sleep 0.1; done")
    assert.strictEqual(await inContainer(image, "get", "example.org", "80", "/"), "unknown host")
  })

  it("Docker has its images after the next use of a workspace that was stopped", async () => {
    await json(["stop", "dock"])
    await json(["start", "dock"])
    assert.strictEqual(await inContainer(image, "get", "example.org", "80", "/"), "unknown host")
  })

  it("a Docker that cannot start says so to the program that asked, and starts once it can", async () => {
    await json(["reset", "dock"])
    await sh("dock", "printf nonsense > /etc/docker/daemon.json")
    const { code, stderr } = await call(["exec", "dock", "--", "docker", "images", "--quiet"])
    assert.notStrictEqual(code, 0, stderr)
    await sh("dock", "rm /etc/docker/daemon.json")
    assert.strictEqual(await sh("dock", "docker images --quiet"), "")
  })
})
