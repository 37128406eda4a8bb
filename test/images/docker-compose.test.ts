import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type DockerInside, dockerInside } from "../support/images/docker-inside.ts"

let docker: DockerInside
let port = 0

const published = async (workspace: string) =>
  (await docker.json<{ readonly ports: ReadonlyArray<{ readonly guest_port: number; readonly host_port: number }> }>(
    ["port", "list", workspace]
  )).ports.find(({ guest_port }) => guest_port === 8080)!.host_port

const answer = async (hostPort: number) => (await (await fetch(`http://127.0.0.1:${hostPort}/`)).text()).trim()

beforeAll(async () => {
  docker = await dockerInside("pyro-docker-compose-", (image) => ({
    Dockerfile: `FROM ${image}\nCMD ["serve", "8000"]\n`,
    "compose.yaml": `services:
  back:
    build: .
  front:
    build: .
    command: ["serve", "8000", "back", "8000"]
    ports: ["8080:8000"]
    depends_on: [back]
`
  }))
})

afterAll(() => docker.close())

describe("containers of debian:13-docker", { concurrent: false }, () => {
  it("compose runs two services that find each other by name, behind a published port", async () => {
    await docker.sh("dock", "docker compose up --detach --quiet-pull")
    port = (await docker.json<{ readonly host_port: number }>(["port", "publish", "dock", "8080"])).host_port
    assert.strictEqual(await answer(port), "1 and 1")
    assert.strictEqual(await answer(port), "2 and 2")
  })

  it("containers are among the programs that pyro stops while it makes a fork unique", async () => {
    const groups = await docker.sh(
      "dock",
      "cat $(docker ps -q --no-trunc | sed 's|.*|/sys/fs/cgroup/pyro/docker/&/cgroup.procs|')"
    )
    assert.lengthOf(groups.split("\n"), 2)
  })

  it("containers go on in a fork, apart from those of the source", async () => {
    await docker.json(["fork", "dock", "--name", "try"])
    const other = await published("try")
    assert.strictEqual(await answer(other), "3 and 3")
    assert.strictEqual(await answer(other), "4 and 4")
    assert.strictEqual(await answer(port), "3 and 3")
    assert.strictEqual(await docker.sh("try", "docker ps --quiet | wc -l"), "2")
    await docker.json(["delete", "try"])
  })

  it("containers go on after a pause", async () => {
    await docker.json(["pause", "dock"])
    assert.strictEqual(await answer(port), "4 and 4")
    assert.strictEqual(await docker.sh("dock", "docker ps --quiet | wc -l"), "2")
  })
})
