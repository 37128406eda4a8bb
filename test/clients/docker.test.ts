import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { bashSession } from "../support/cli/bash-session.ts"
import { assertAsShown, sectionOf, stepsOf } from "../support/documents/page-steps.ts"
import { installation } from "../support/installation.ts"
import { pyroPath } from "../support/pyro-cli.ts"

const root = path.resolve(import.meta.dirname, "../..")
const page = fs.readFileSync(path.join(root, "docs/docker.md"), "utf8")
const PAGE_OF_BUILD = "the page of the back\nmade by a build\n"
const PAGE_OF_FRONT = `front reads: ${PAGE_OF_BUILD}`

const own = installation("pyro-docker-")
const project = path.join(own.folder, "project")
const bin = path.join(own.folder, "bin")
let shell: ReturnType<typeof bashSession>

/** Runs the commands of one section of the page in the project. Each block has to succeed, and to print the output that the page shows. */
const follow = async (heading: string) => {
  const steps = stepsOf(sectionOf(page, heading))
  assert.isNotEmpty(steps)
  for (const step of steps) {
    const { output, status } = await shell.run(step.script)
    assert.strictEqual(status, 0, `${step.script}\n${output}`)
    if (step.output.length > 0) assertAsShown(step, output)
  }
}

/** What a published port of the guest answers on the host. */
const answer = async (workspace: string, guestPort: number, path = "/") => {
  const { ports } = await own.json<{
    readonly ports: ReadonlyArray<{ readonly guest_port: number; readonly host_port: number }>
  }>(["port", "list", workspace])
  const port = ports.find((one) => one.guest_port === guestPort)
  assert.isDefined(port, `${workspace} does not publish ${guestPort}`)
  return await (await fetch(`http://127.0.0.1:${port!.host_port}${path}`)).text()
}

/** Process and beginning of each container. */
const containers = (workspace: string) =>
  own.sh(workspace, "docker inspect --format '{{.Name}} {{.State.Pid}} {{.State.StartedAt}}' $(docker ps -q)")

beforeAll(() => {
  fs.cpSync(path.join(root, "test/fixtures/docker-project"), project, { recursive: true })
  fs.mkdirSync(bin)
  const quoted = [process.execPath, pyroPath].map((word) => `'${word}'`).join(" ")
  fs.writeFileSync(path.join(bin, "pyro"), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 })
  const env = { ...process.env, ...own.env, PATH: `${bin}:${process.env["PATH"]}`, NO_COLOR: "1" }
  shell = bashSession({ cwd: project, env })
})
afterAll(async () => {
  await shell.close()
  await own.call(["delete", "--all"])
  await own.call(["env", "rm", "podman"])
  await own.close()
})

describe("docs/docker.md", () => {
  it("Docker starts when it is used, on the disk's own file system", async () => {
    await follow("Docker")
    await follow("Images")
    assert.strictEqual(await own.sh("fix", "docker info --format '{{.Driver}}'"), "overlay2")
  })

  it("Docker builds an image, and compose runs two services that talk to each other behind a published port", async () => {
    await follow("Build, run, compose")
    assert.strictEqual(await answer("fix", 8080, "/cgi-bin/front"), PAGE_OF_FRONT)
    assert.strictEqual(
      await own.sh("fix", "docker run --rm --memory 64m app cat /sys/fs/cgroup/memory.max"),
      "67108864"
    )
  })

  it("containers go on in a fork, whose port answers, and the two change apart", async () => {
    const before = await containers("fix")
    await follow("Forks")
    assert.strictEqual(await containers("try"), before)
    assert.strictEqual(await answer("try", 8080, "/cgi-bin/front"), PAGE_OF_FRONT)
    await own.sh("try", "docker exec workspace-back-1 sh -c 'echo changed > /www/index.html'")
    assert.strictEqual(await answer("try", 8080, "/cgi-bin/front"), "front reads: changed\n")
    assert.strictEqual(await answer("fix", 8080, "/cgi-bin/front"), PAGE_OF_FRONT)
    assert.strictEqual(await containers("fix"), before)
  })

  it("Docker comes back with its workspace, and has its images", async () => {
    await own.json(["delete", "try"])
    await own.json(["stop", "fix"])
    await own.json(["start", "fix"])
    assert.strictEqual(await own.sh("fix", "docker run --rm app cat /www/index.html"), PAGE_OF_BUILD.trim())
    assert.strictEqual(await own.sh("fix", "docker info --format '{{.Driver}}'"), "overlay2")
    await own.json(["delete", "fix"])
  })

  it("podman builds an image and runs a container behind a published port", async () => {
    await follow("podman")
    assert.strictEqual(await answer("pod", 8000), PAGE_OF_BUILD)
    assert.strictEqual(await own.sh("pod", "podman info --format '{{.Store.GraphDriverName}}'"), "overlay")
  })
})
