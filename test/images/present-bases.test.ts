import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { shellRoot } from "../support/oci/shell.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const NAMES = ["app", "over", "again", "newer"].map((name) => `present-${name}${process.pid}`)
const [APP = "", OVER = "", AGAIN = "", NEWER = ""] = NAMES
const PATH = "PATH=/bin"

const { folder, remove } = temporaryFolder("pyro-present-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let base = ""

const imageWith = (word: string) =>
  imageOf([[
    ...shellRoot(),
    { name: "opt/", type: "5", mode: 0o2775, uid: 5, gid: 6 },
    { name: "opt/gone", data: "gone" },
    { name: "opt/folder/", type: "5" },
    { name: "opt/folder/old", data: "old" },
    { name: "opt/setuid", data: word, mode: 0o4755, uid: 7 }
  ]], {
    Env: [PATH, "WORD=of base"],
    User: "vscode",
    WorkingDir: "/opt/folder",
    Entrypoint: ["/bin/sh", "-c"],
    StopSignal: "SIGQUIT",
    ExposedPorts: { "80/tcp": {} },
    Labels: { label: "value" },
    Healthcheck: { Test: ["CMD", "true"], Interval: 10_000_000_000 },
    OnBuild: ["ENV TRIGGERED=yes"]
  })

const served = { "base:1": imageWith("first"), "base:2": imageWith("second") }

const context = (name: string, lines: ReadonlyArray<string>) => {
  const directory = path.join(folder, name)
  fs.mkdirSync(directory, { recursive: true })
  fs.writeFileSync(path.join(directory, "file"), "of the context")
  fs.writeFileSync(path.join(directory, "Dockerfile"), `${lines.join("\n")}\n`)
  return directory
}

/** The person's word for what a Dockerfile names: the registry, or the environment. */
const words = (name: string) => ["--allow-host", name === OVER ? `localhost/${APP}` : registry.host]

const build = async (name: string, directory: string, ...more: ReadonlyArray<string>) => {
  const { code, stderr } = await pyro.call([
    "env",
    "build",
    name,
    "--dockerfile",
    directory,
    "--replace",
    ...words(name),
    ...more
  ])
  assert.strictEqual(code, 0, stderr)
  return stderr
}

const shell = async (name: string, script: string) => {
  const ran = await pyro.call(["run", name, "--mem-mib", "256", "--", "/bin/sh", "-ec", script])
  assert.strictEqual(ran.code, 0, ran.stderr)
  return ran.stdout.toString().trimEnd().split("\n")
}

interface Image {
  readonly env?: ReadonlyArray<string>
  readonly user?: string
}

const settings = async (name: string) =>
  (await pyro.json<{ readonly image: Image & Readonly<Record<string, unknown>> }>(["env", "inspect", name])).image

beforeAll(async () => {
  registry = await startRegistry(served)
  base = `${registry.host}/base:1`
  pyro = installation("pyro-present-")
  await pyro.json(["env", "pull", base])
})

afterAll(async () => {
  await pyro.call(["env", "rm", ...NAMES, base])
  await pyro.close()
  await registry.close()
  remove()
})

describe("bases that this host has", { concurrent: false, timeout: 600_000 }, () => {
  it("FROM a pulled image takes no byte from its registry, and keeps all that the image has", async () => {
    const asked = registry.requests.length
    const directory = context("app", [
      `FROM ${base} AS first`,
      "USER 0",
      "RUN rm gone 2>/dev/null; rm /opt/gone; rm -r /opt/folder; mkdir /opt/folder; echo new >/opt/folder/new",
      "RUN touch /opt/folder/new2",
      "FROM first",
      `COPY --from=${base} /opt/setuid /opt/copied`,
      `COPY --from=${base} /usr /opt/hidden/usr`,
      `RUN --mount=from=${base},target=/mnt ls /mnt/lib >/opt/hidden/lib; ls /lib >>/opt/hidden/lib`,
      "COPY file /opt/file"
    ])
    await build(APP, directory)
    assert.strictEqual(registry.requests.length, asked)
    assert.deepStrictEqual(
      await shell(
        APP,
        "cd /opt; ls -ldn . setuid | (while read -r mode _ uid gid _; do echo $mode $uid $gid; done); ls . folder; cat copied file; echo; ls -A hidden/usr/lib; grep -c modules hidden/lib || true; ls /lib/modules /usr/lib/modules | grep -c 6; echo $WORD $TRIGGERED"
      ),
      [
        "drwxrwsr-x 5 6",
        "-rwsr-xr-x 7 0",
        ...[".:", "copied", "file", "folder", "hidden", "setuid", "", "folder:", "new", "new2"],
        "firstof the context",
        "0",
        "2",
        "of base yes"
      ]
    )
  })

  it("the configuration of the base is that of the result", async () => {
    const { env: _, user: __, ...of } = await settings(base)
    const { env, user, ...built } = await settings(APP)
    const { "io.buildah.version": ___, ...labels } = built["labels"] as Readonly<Record<string, string>>
    assert.deepStrictEqual({ ...built, labels }, of)
    assert.includeMembers([...env ?? []], ["WORD=of base", "TRIGGERED=yes"])
    assert.strictEqual(user, "0:0")
  })

  it("localhost/NAME is an environment of this host, and steps over it are kept", async () => {
    const directory = context("over", [`FROM localhost/${APP}`, "RUN cat /opt/folder/new >/opt/over; echo ran"])
    assert.match(await build(OVER, directory), /^ {2}ran$/m)
    assert.notMatch(await build(OVER, directory), /^ {2}ran$/m)
    assert.deepStrictEqual(await shell(OVER, "cat /opt/over; ls /opt"), [
      "new",
      "copied",
      "file",
      "folder",
      "hidden",
      "over",
      "setuid"
    ])
    const unknown = await pyro.failure([
      "env",
      "build",
      AGAIN,
      "--dockerfile",
      context("unknown", ["FROM localhost/nobody"]),
      "--allow-host",
      "localhost/nobody"
    ])
    assert.strictEqual(unknown.code, "environment_unknown")
  })

  it("a base may be in a stage that is left, and the result begins with scratch", async () => {
    const directory = context("scratch", [
      `FROM ${base} AS all`,
      "FROM scratch",
      "COPY --from=all / /",
      "ENV PATH=/bin"
    ])
    await build(AGAIN, directory)
    assert.deepStrictEqual(await shell(AGAIN, "cat /opt/gone; ls /usr/lib/modules | grep -c 6"), ["gone1"])
  })

  it("--pull asks the registry, and a build without it takes what env pull brought", async () => {
    served["base:1"] = served["base:2"]
    const directory = context("newer", [`FROM ${base}`, "USER 0"])
    await build(NEWER, directory)
    assert.deepStrictEqual(await shell(NEWER, "cat /opt/setuid"), ["first"])
    await build(NEWER, directory, "--pull")
    assert.deepStrictEqual(await shell(NEWER, "cat /opt/setuid"), ["second"])
  })
})
