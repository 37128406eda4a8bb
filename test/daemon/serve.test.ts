import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, smallSizes } from "../support/installation.ts"
import { makeTestAuthority } from "../support/network/certificates.ts"
import { startPyro, temporaryFolder } from "../support/pyro-cli.ts"
import { asked } from "../support/serve/asked-rows.ts"
import { untilTrue } from "../support/until.ts"

describe("a machine that serves tenants over TLS", () => {
  const here = installation("pyro-serve-here-")
  const there = installation("pyro-serve-there-")
  const { folder, remove } = temporaryFolder("pyro-serve-tls-")
  const file = (name: string) => path.join(folder, name)
  let server: ReturnType<typeof startPyro>
  let url = ""
  const served = (listen: string) => {
    server = startPyro(
      ["serve", "--listen", listen, "--tls-cert", file("server.pem"), "--tls-key", file("server.key")],
      { env: there.env }
    )
    return untilTrue(() => server.stdoutSoFar().includes("listens at"))
  }
  const as = (tenant: string, args: ReadonlyArray<string>, more: object = {}) =>
    here.call(["--context", tenant, ...args], more)
  const done = async (tenant: string, args: ReadonlyArray<string>, more: object = {}) => {
    const { code, stderr, stdout } = await as(tenant, args, more)
    assert.strictEqual(code, 0, stderr)
    return stdout.toString()
  }
  const listed = async (tenant: string) => {
    const { workspaces } = JSON.parse(await done(tenant, ["list", "--json"])) as {
      readonly workspaces: ReadonlyArray<{ readonly id: string; readonly name?: string }>
    }
    return workspaces
  }
  const addContext = async (name: string, token: ReadonlyArray<string>) => {
    const { code, stdout } = await there.call(["serve", "token", "add", name, ...token])
    assert.strictEqual(code, 0)
    fs.writeFileSync(file(`${name}.token`), stdout)
    const { stderr } = await here.call(
      ["context", "add", name, url, "--token-file", file(`${name}.token`), "--ca", file("ca.pem")]
    )
    assert.include(stderr, "next:")
  }

  beforeAll(async () => {
    const authority = await makeTestAuthority()
    const { cert, key } = await authority.identityOf("localhost")
    fs.writeFileSync(file("ca.pem"), authority.certificate)
    fs.writeFileSync(file("server.pem"), cert)
    fs.writeFileSync(file("server.key"), key, { mode: 0o600 })
    await served("127.0.0.1:0")
    const port = /:(\d+)\n/.exec(server.stdoutSoFar().toString())![1]!
    url = `wss://localhost:${port}`
    await addContext("acme", [])
    await addContext("evil", [])
    await addContext("looker", ["--tenant", "acme", "--role", "viewer"])
    await done("acme", ["create", "--name", "fix", ...smallSizes])
    await done("acme", ["exec", "fix", "--", "sh", "-c", "echo secret of acme > /workspace/file"])
  })
  afterAll(async () => {
    server.child.kill("SIGKILL")
    await server.finished
    await there.close()
    await here.close()
    remove()
  })

  it("runs commands with stdin, both outputs and the status", async () => {
    const { code, stderr, stdout } = await as(
      "acme",
      ["exec", "-i", "fix", "--", "sh", "-c", "cat; echo to stderr >&2; exit 3"],
      { input: "to stdin" }
    )
    assert.deepStrictEqual([code, stdout.toString(), stderr], [3, "to stdin", "to stderr\n"])
  })

  it("names may repeat across tenants, and each sees its own workspaces", async () => {
    await done("evil", ["create", "--name", "fix", ...smallSizes])
    const [acme, evil] = [await listed("acme"), await listed("evil")]
    assert.deepStrictEqual([acme, evil].map((all) => all.map(({ name }) => name)), [["fix"], ["fix"]])
    assert.notStrictEqual(acme[0]!.id, evil[0]!.id)
    const { message } = await here.failure(["--context", "acme", "create", "--name", "fix", ...smallSizes])
    assert.include(message, acme[0]!.id)
    assert.lengthOf(await there.list(), 2)
  })

  it("a viewer sees what its tenant has, and changes nothing", async () => {
    assert.include(await done("looker", ["file", "read", "fix", "file"]), "secret of acme")
    const { code, message } = await here.failure(["--context", "looker", "exec", "fix", "--", "true"])
    assert.strictEqual(code, "not_permitted")
    assert.include(message, "role viewer")
  })

  it("no operation tells a foreign workspace from none, by its id, its name or a beginning", async () => {
    const [{ id }] = await listed("acme") as readonly [{ readonly id: string }]
    const absent = `ws-${[...id.slice(3)].reverse().join("")}`
    const token = fs.readFileSync(file("evil.token"), "utf8").trim()
    const answers = (one: string) => asked(url, { token, ca: file("ca.pem"), stateDirectory: here.state }, one)
    const [foreign, none, prefix, foreignPrefix] = [
      await answers(id),
      await answers(absent),
      await answers(absent.slice(0, 9)),
      await answers(id.slice(0, 9))
    ]
    assert.deepStrictEqual(foreign, none)
    assert.deepStrictEqual(foreignPrefix, prefix)
    // Not vacuous: each operation on a workspace has looked for one, or is refused for all workspaces.
    const tags = new Map<string, number>()
    for (const { code } of Object.values(foreign)) tags.set(code, (tags.get(code) ?? 0) + 1)
    assert.sameMembers([...tags.keys()], ["workspace_not_found", "not_permitted", "invalid_request"])
    const refused = Object.entries(foreign).filter(([, { code }]) => code !== "workspace_not_found").map(([name]) =>
      name
    )
    assert.sameMembers(refused, [
      "env.build",
      "ui",
      "workspace.commit",
      "workspace.disk.export",
      "workspace.import",
      "workspace.port.publish",
      "workspace.ssh.agent",
      "workspace.ssh.config",
      "workspace.ssh.proxy",
      "workspace.sync.push"
    ])
    assert.isAbove(tags.get("workspace_not_found")!, 55)
    // Nothing of acme's workspace has changed.
    assert.include(await done("acme", ["file", "read", "fix", "file"]), "secret of acme")
  })

  it("refuses paths, ports, keys and environments of the host, and what is about the host", async () => {
    const refused = async (...args: ReadonlyArray<string>) => (await here.failure(["--context", "evil", ...args])).code
    const project = file("project")
    fs.mkdirSync(path.join(project, ".devcontainer"), { recursive: true })
    fs.writeFileSync(path.join(project, "Dockerfile"), "FROM localhost/debian:12\n")
    fs.writeFileSync(path.join(project, ".devcontainer/devcontainer.json"), `{"image":"localhost/debian:12"}`)
    const codes = {
      // Its files are the client's, and the environment that they make would be the host's.
      dockerfile: await refused("create", "--dockerfile", project),
      devcontainer: await refused("create", "--devcontainer", project),
      // Its memory would be input of the VMM.
      saved: await refused("saved", "import", path.join(project, "Dockerfile")),
      archive: await refused("env", "import", path.join(project, "Dockerfile")),
      doctor: await refused("gc"),
      config: await refused("config"),
      stop: await refused("daemon", "stop"),
      pull: await refused("env", "pull", "docker.io/library/alpine:3.20"),
      image: await refused("create", "--environment", "docker.io/library/alpine:3.20"),
      repo: await refused("create", "--repo-url", "http://127.0.0.1:1/x.git"),
      publish: await refused("port", "publish", "fix", "8080"),
      commit: await refused("commit", "fix", "debian:12"),
      loopback: await refused("network", "set", "fix", "--allow-host", "host.pyro.internal:22"),
      address: await refused("network", "set", "fix", "--allow-ip", "10.0.0.0/8")
    }
    assert.deepStrictEqual(codes, {
      dockerfile: "invalid_request",
      devcontainer: "invalid_request",
      saved: "not_permitted",
      archive: "not_permitted",
      doctor: "not_permitted",
      config: "not_permitted",
      stop: "not_permitted",
      pull: "not_permitted",
      image: "invalid_request",
      repo: "invalid_request",
      publish: "not_permitted",
      commit: "not_permitted",
      loopback: "network_above_ceiling",
      address: "network_above_ceiling"
    })
  })

  it("seeds and pushes files of the client, and asks no tenant's contents of another", async () => {
    const project = file("project")
    await done("evil", ["create", "--name", "seeded", "--seed-path", project, ...smallSizes])
    fs.writeFileSync(path.join(project, "new"), "new\n")
    await done("evil", ["sync", "push", "seeded", project])
    assert.strictEqual(await done("evil", ["exec", "seeded", "--", "cat", "new"]), "new\n")
    await done("evil", ["delete", "seeded"])
    const contents = path.join(there.state, "daemon/spool/contents")
    assert.deepStrictEqual(fs.readdirSync(contents), ["tenant-evil"])
    assert.deepStrictEqual(fs.readdirSync(path.join(there.state, "daemon/spool/trees")), [])
  })

  it("refuses what is above a quota by its name, and writes who asked for what with the outcome", async () => {
    const { code } = await there.call(["serve", "quota", "evil", "--workspaces", "1", "--commands", "1"])
    assert.strictEqual(code, 0)
    const above = await here.failure(["--context", "evil", "create", "--name", "more", ...smallSizes])
    assert.deepInclude(above, { code: "quota_exceeded", quota: "workspaces", limit: 1, used: 1 })
    await done("evil", ["exec", "--detach", "fix", "--", "sleep", "60"])
    const busy = await here.failure(["--context", "evil", "exec", "fix", "--", "true"])
    assert.deepInclude(busy, { code: "quota_exceeded", quota: "commands", limit: 1, used: 1 })
    const log = fs.readFileSync(path.join(there.state, "serve", "audit.jsonl"), "utf8").trimEnd().split("\n")
    const entries = log.map((line) => JSON.parse(line) as Readonly<Record<string, string>>)
    assert.isTrue(
      entries.some(({ address, name, operation, outcome, role, tenant, token }) =>
        address === "127.0.0.1" && name === "more" && operation === "workspace.create" &&
        outcome === "quota_exceeded" &&
        role === "user" && tenant === "evil" && token === "evil"
      )
    )
    assert.isTrue(entries.some(({ operation, outcome }) => operation === "gc" && outcome === "not_permitted"))
    assert.isTrue(entries.some(({ operation, outcome }) => operation === "workspace.exec" && outcome === "done"))
    assert.notInclude(log.join(""), "secret of acme")
  })

  it("goes on with a command whose server is killed and comes back, and runs it once", async () => {
    const script = "echo ran >> /ran; for i in $(seq 40); do echo $i; sleep 0.1; done"
    const { finished, stdoutSoFar } = startPyro(["--context", "acme", "exec", "fix", "--", "sh", "-c", script], {
      env: here.env
    })
    await untilTrue(() => stdoutSoFar().toString().split("\n").length > 5)
    server.child.kill("SIGKILL")
    await server.finished
    await served(`127.0.0.1:${url.slice(url.lastIndexOf(":") + 1)}`)
    const { code, stderr, stdout } = await finished
    assert.deepStrictEqual([code, stderr], [0, ""])
    assert.strictEqual(stdout.toString(), Array.from({ length: 40 }, (_, at) => `${at + 1}\n`).join(""))
    assert.strictEqual(await done("acme", ["exec", "fix", "cat", "/ran"]), "ran\n")
  })

  it("a revoked token is refused, and the error says so", async () => {
    const { code } = await there.call(["serve", "token", "revoke", "evil"])
    assert.strictEqual(code, 0)
    await untilTrue(async () => (await as("evil", ["list"])).code !== 0)
    const { code: error, message } = await here.failure(["--context", "evil", "list"])
    assert.strictEqual(error, "context_unreachable")
    assert.include(message, "revoked")
    assert.lengthOf(await listed("acme"), 1)
  })
})
