import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { dockerArchive, ociArchive, writeLayout } from "../support/oci/archive.ts"
import { digestOf, imageOf, type TestImage } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

interface Environment {
  readonly name: string
  readonly digest: string
  readonly image_digest?: string
}

const { folder, remove } = temporaryFolder("pyro-archive-test-")
const at = (name: string) => path.join(folder, name)
const asked: Array<string> = []
let engine: http.Server
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let image: TestImage
let other: TestImage
let foreign: TestImage

const config = {
  Env: ["GREETING=packed"],
  User: "1234:50",
  WorkingDir: "/app",
  Entrypoint: ["/probe"],
  Cmd: ["/app/file"]
}

beforeAll(async () => {
  const program = probeIn(folder)
  const files = [
    program,
    { name: "app/", type: "5", uid: 1234, gid: 50 },
    { name: "app/file", data: "text", mode: 0o640, uid: 4_294_967_294, gid: 50 },
    { name: "app/again", type: "1", target: "app/file" },
    { name: "app/set", data: "s", mode: 0o4755 },
    { name: "app/marked", data: "m", pax: { "SCHILY.xattr.user.pyro": "kept" } },
    { name: "app/null", type: "3", device: [1, 3], mode: 0o666 },
    { name: "app/link", type: "2", target: "../probe" },
    { name: `app/${"d".repeat(120)}/${"e".repeat(150)}`, data: "long" }
  ] as const
  image = imageOf([files], config)
  other = imageOf([[program, { name: "other", data: "other" }]], { Cmd: ["/probe", "/other"] })
  foreign = imageOf([[program]], {}, { architecture: "arm64" })
  registry = await startRegistry({ "packed:1": image })
  // What `GET /images/NAME/get` of an engine gives, in its two answers.
  engine = http.createServer((request, response) => {
    asked.push(request.url ?? "")
    if (request.url === "/images/team/app:1/get") {
      response.writeHead(200, { "content-type": "application/x-tar" })
      return void response.end(dockerArchive([{ image, names: ["team/app:1"] }]))
    }
    response.writeHead(404, { "content-type": "application/json" }).end(`{"message":"No such image: absent"}`)
  })
  await new Promise<void>((resolve) => engine.listen(at("engine.sock"), resolve))
  pyro = installation("pyro-archive-", { env: { DOCKER_HOST: `unix://${at("engine.sock")}` } })
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  engine.close()
  remove()
})

const environments = async () =>
  (await pyro.json<{ readonly environments: ReadonlyArray<Environment> }>(["env", "list"])).environments
const bring = (args: ReadonlyArray<string>, stdin?: Buffer) =>
  pyro.json<Environment>(["env", ...args], stdin === undefined ? {} : { input: stdin })
const ran = async (environment: string) => {
  const { code, stderr, stdout } = await pyro.call([
    "run",
    environment,
    "--mem-mib",
    "256",
    "--",
    "/probe",
    "/app/marked"
  ])
  return code === 0 ? stdout.toString() : stderr
}
const OUTPUT = "uid=1234 gid=50 cwd=/app GREETING=packed /app/marked=m\n"
const OTHER = "uid=0 gid=0 cwd=/workspace GREETING= /other=other\n"

describe("environments out of archives and into them", { concurrent: false }, () => {
  it("an OCI archive, a layout and a registry give the same environment of the same manifest", async () => {
    fs.writeFileSync(at("packed.tar"), ociArchive([{ image }]))
    writeLayout(at("layout"), [{ image, names: ["one"] }, { image: other, names: ["two"] }])
    const pulled = await bring(["pull", `${registry.host}/packed:1`])
    const imported = await bring(["import", at("packed.tar")])
    const layout = await bring(["pull", `oci:${at("layout")}:one`])
    assert.strictEqual(pulled.image_digest, digestOf(image.manifest))
    for (const one of [imported, layout]) {
      assert.deepStrictEqual([one.digest, one.image_digest], [pulled.digest, pulled.image_digest])
    }
    assert.deepStrictEqual([imported.name, layout.name], ["packed", `oci:${at("layout")}:one`])
    assert.strictEqual(await ran("packed"), OUTPUT)
  })

  it("run takes an archive by a relative path, and reads it once", async () => {
    fs.writeFileSync(at("many.tar"), dockerArchive([{ image, names: ["a:1"] }, { image: other, names: ["b:latest"] }]))
    const once = await pyro.call(["run", "docker-archive:many.tar:b", "--mem-mib", "256"], { cwd: folder })
    assert.strictEqual(once.stdout.toString(), OTHER, once.stderr)
    fs.rmSync(at("many.tar"))
    const again = await pyro.call(["run", "docker-archive:many.tar:b", "--mem-mib", "256"], { cwd: folder })
    assert.strictEqual(again.stdout.toString(), OTHER, again.stderr)
    const names = (await environments()).map(({ name }) => name)
    assert.include(names, `docker-archive:${at("many.tar")}:b`)
  })

  it("stdin may be compressed, and an engine gives an image by its socket", async () => {
    const piped = await bring(["import", "-", "--name", "piped"], zlib.gzipSync(ociArchive([{ image: other }])))
    assert.strictEqual(piped.image_digest, digestOf(other.manifest))
    const saved = await bring(["import", "docker-daemon:team/app:1", "--name", "saved"])
    assert.deepStrictEqual(asked, ["/images/team/app:1/get"])
    assert.strictEqual(saved.digest, (await environments()).find(({ name }) => name === "packed")?.digest)
    assert.strictEqual(await ran("saved"), OUTPUT)
  })

  it("an index of several platforms gives the image of this one", async () => {
    fs.writeFileSync(
      at("platforms.tar"),
      ociArchive([
        { image: foreign, platform: { os: "linux", architecture: "arm64" } },
        { image: other, platform: { os: "linux", architecture: "amd64" } }
      ])
    )
    const imported = await bring(["import", at("platforms.tar")])
    assert.strictEqual(imported.image_digest, digestOf(other.manifest))
  })

  it.each([
    ["absent.tar", () => undefined, /absent\.tar is not there/],
    ["folder.tar", (file: string) => fs.mkdirSync(file), /is a directory; of an OCI layout, name it as oci:/],
    ["empty.tar", (file: string) => fs.writeFileSync(file, ""), /is no tar archive|no image is in the archive/],
    ["noise.tar", (file: string) => fs.writeFileSync(file, "no archive ".repeat(200)), /no tar archive/],
    [
      "files.tar",
      (file: string) => execFileSync("tar", ["-cf", file, "-C", folder, "probe"]),
      /neither index\.json nor manifest\.json/
    ],
    [
      "several.tar",
      (file: string) =>
        fs.writeFileSync(file, dockerArchive([{ image, names: ["a:1"] }, { image: other, names: ["b:1"] }])),
      /several images are in the archive \(a:1, b:1\)/
    ],
    ["foreign.tar", (file: string) => fs.writeFileSync(file, ociArchive([{ image: foreign }])), /linux\/arm64|arm64/],
    [
      "lying.tar",
      (file: string) =>
        fs.writeFileSync(
          file,
          ociArchive(
            [{ image }],
            (digest, content) => digest === digestOf(image.manifest) ? Buffer.from("{}") : content
          )
        ),
      /is not what the digest says/
    ]
  ])("%s is refused, and leaves nothing", async (name, make, said) => {
    make(at(name))
    const refused = await pyro.call(["env", "import", at(name), "--name", "refused"])
    assert.notStrictEqual(refused.code, 0)
    assert.match(refused.stderr, said)
    assert.notInclude((await environments()).map(({ name }) => name), "refused")
    assert.deepStrictEqual(pyro.workspaceIds(), [])
  })

  it("an image that the engine does not have, and a name that is taken, are refused with the reason", async () => {
    const absent = await pyro.call(["env", "pull", "docker-daemon:absent"])
    assert.match(absent.stderr, /answers 404: No such image: absent/)
    const taken = await pyro.failure(["env", "import", at("packed.tar"), "--name", "piped"])
    assert.strictEqual(taken.code, "environment_name_taken")
    const nameless = await pyro.call(["env", "import", "-"], { input: Buffer.from("") })
    assert.match(nameless.stderr, /^pyro: --name: the environment needs a name\. Give it one: --name$/m)
  })

  it("an export has all of the environment, for Docker's readers and OCI's, and comes back equal", async () => {
    const file = at("out.tar")
    const exported = await pyro.json<{ readonly image_digest: string; readonly bytes: number }>([
      "env",
      "export",
      "packed",
      "-o",
      file
    ])
    assert.deepStrictEqual([fs.statSync(file).size, fs.statSync(file).mode & 0o777], [exported.bytes, 0o600])
    const out = at("unpacked")
    fs.mkdirSync(out)
    execFileSync("tar", ["-xf", file, "-C", out])
    const read = (name: string) => JSON.parse(fs.readFileSync(path.join(out, name), "utf8"))
    assert.strictEqual(read("index.json").manifests[0].digest, exported.image_digest)
    const [docker] = read("manifest.json")
    assert.deepStrictEqual([docker.RepoTags, read(docker.Config).config], [["packed:latest"], config])
    const listed = execFileSync("tar", ["--numeric-owner", "--full-time", "-tvf", path.join(out, docker.Layers[0])])
      .toString()
    assert.match(listed, /^-rwsr-xr-x 0\/0 .* \.\/app\/set$/m)
    assert.match(listed, /^crw-rw-rw- 0\/0 +1,3 .* \.\/app\/null$/m)
    assert.match(listed, /^-rw-r----- 4294967294\/50 .* \.\/app\/again$/m)
    assert.match(listed, /^hrw-r----- 4294967294\/50 .* \.\/app\/file link to \.\/app\/again$/m)
    assert.match(listed, /^drwxr-xr-x 1234\/50 .* \.\/app\/$/m)
    assert.notMatch(listed, /lib\/modules/)
    assert.include(fs.readFileSync(path.join(out, docker.Layers[0]), "latin1"), "SCHILY.xattr.user.pyro=kept")
    const back = await bring(["import", file, "--name", "back"])
    assert.strictEqual(back.image_digest, exported.image_digest)
    assert.strictEqual(await ran("back"), OUTPUT)
    const there = await pyro.call(["env", "export", "packed", "-o", file])
    assert.match(there.stderr, /--overwrite/)
    assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.includes("out.tar")), ["out.tar"])
  })
})
