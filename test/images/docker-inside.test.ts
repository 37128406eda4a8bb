import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type DockerInside, dockerInside, LOCAL } from "../support/images/docker-inside.ts"

let docker: DockerInside

beforeAll(async () => {
  docker = await dockerInside("pyro-docker-inside-")
})

afterAll(() => docker.close())

describe("debian:13-docker", { concurrent: false }, () => {
  it("Docker runs from its first use on, also for the user agent, and has its data on the disk's own file system", async () => {
    assert.strictEqual(await docker.sh("dock", "pgrep -c dockerd || true"), "0")
    const driver = ["docker", "info", "--format", "{{.Driver}} {{.CgroupVersion}}"]
    const { stderr, stdout } = await docker.call(["exec", "dock", "--user", "agent", "--", ...driver])
    assert.strictEqual(stdout.toString().trim(), "overlay2 2", stderr)
    assert.strictEqual(await docker.sh("dock", "pgrep -c dockerd"), "1")
  })

  it("pulls from a registry that the policy allows, and containers reach this host alone", async () => {
    const { forbiddenPort, image, registryPort } = docker
    await docker.sh("dock", `docker pull --quiet ${image}`)
    const targets = [
      [LOCAL, registryPort, "/v2/"],
      [LOCAL, forbiddenPort, "/"],
      ["example.org", "80", "/"],
      ["203.0.113.10", "80", "/"]
    ]
    for (const network of ["bridge", "host"]) {
      assert.strictEqual(
        await docker.inContainer("--privileged", "--network", network, image, "get", ...targets.flat()),
        ["{}", "Connection refused", "unknown host", "Connection refused"].join("\n")
      )
    }
    const { entries } = await docker.json<{ readonly entries: ReadonlyArray<{ readonly host: string }> }>(
      ["network", "log", "dock", "--denied"]
    )
    assert.includeMembers(entries.map(({ host }) => host), [LOCAL, "example.org", "203.0.113.10"])
  })
})
