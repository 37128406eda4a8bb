import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type DockerInside, dockerInside, LOCAL } from "../support/images/docker-inside.ts"

let docker: DockerInside

beforeAll(async () => {
  docker = await dockerInside("pyro-docker-days-", (image, port) => {
    const get = (port: number | string) => `RUN ["/net", "get", "${LOCAL}", "${port}", "/v2/"]\n`
    return {
      Dockerfile: `FROM ${image}\n${get(image.split(/[:/]/)[1]!)}`,
      Refused: `FROM ${image}\n${get(port)}`
    }
  })
})

afterAll(() => docker.close())

describe("debian:13-docker on bad days", { concurrent: false }, () => {
  it("builds with the workspace's network, and a step that the policy refuses fails", async () => {
    await docker.sh("dock", "docker build --quiet -t app .")
    const refused = await docker.call(["exec", "dock", "--", "docker", "build", "--file", "Refused", "."])
    assert.notStrictEqual(refused.code, 0)
    assert.match(refused.stdout + refused.stderr, /Connection refused/)
  })

  it("Docker that was killed has its images after its next use", async () => {
    await docker.sh("dock", "pkill -KILL dockerd; while pgrep dockerd; do sleep 0.1; done")
    assert.strictEqual(await docker.inContainer("app", "get", "example.org", "80", "/"), "unknown host")
  })

  it("Docker has its images after the next use of a workspace that was stopped", async () => {
    await docker.json(["stop", "dock"])
    await docker.json(["start", "dock"])
    assert.strictEqual(await docker.inContainer("app", "get", "example.org", "80", "/"), "unknown host")
  })

  it("a Docker that cannot start says so to the program that asked, and starts once it can", async () => {
    await docker.json(["reset", "dock"])
    await docker.sh("dock", "printf nonsense > /etc/docker/daemon.json")
    const { code, stderr } = await docker.call(["exec", "dock", "--", "docker", "images", "--quiet"])
    assert.notStrictEqual(code, 0, stderr)
    await docker.sh("dock", "rm /etc/docker/daemon.json")
    assert.strictEqual(await docker.sh("dock", "docker images --quiet"), "")
  })
})
