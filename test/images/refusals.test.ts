import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf, indexOf } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { tarOf } from "../support/oci/tar.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const failures: Readonly<Record<string, readonly [status: number, code: string]>> = {
  private: [401, "UNAUTHORIZED"],
  busy: [429, "TOOMANYREQUESTS"],
  failing: [500, "UNKNOWN"]
}

const { folder, remove } = temporaryFolder("pyro-refusals-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>

beforeAll(async () => {
  const program = probeIn(folder)
  const plain = imageOf([[program]], { Cmd: ["/probe"] })
  const of = (architecture: string) => ({ image: imageOf([[program]], {}, { architecture }), architecture })
  registry = await startRegistry(
    {
      "lists:1": indexOf([{ image: indexOf([{ image: plain, architecture: "amd64" }]), architecture: "amd64" }]),
      "diffs:1": imageOf([[program]], {}, { diffIds: [`sha256:${"0".repeat(64)}`] }),
      "kinds:1": imageOf([[program]], {}, { layerType: "application/vnd.example.layer" }),
      "index:1": indexOf([of("arm64"), of("s390x")]),
      "foreign:1": imageOf([[program]], {}, { architecture: "arm64" }),
      "broken:1": imageOf([Buffer.from("no archive at all, and longer than a block".repeat(40))], {}),
      "cut:1": imageOf([[program], tarOf([{ name: "cut", data: "c".repeat(4096) }]).subarray(0, 2048)], {}),
      "short:1": imageOf([[program], tarOf([{ name: "one" }, { name: "short" }]).subarray(0, 512 + 200)], {}),
      "gone:1": imageOf([[program, { name: "gone", data: "gone" }]], {}),
      "linked:1": imageOf([[program, { name: "etc/shadow", type: "1", target: "etc/gone" }]], {}),
      "hosts:1": imageOf([[program, { name: "etc/hosts/", type: "5" }]], {}),
      "elsewhere:1": imageOf([[program, { name: "elsewhere", data: "elsewhere" }]], {})
    },
    (path) => {
      if (/\/elsewhere\/blobs\//.test(path)) {
        return (response) => response.writeHead(307, { location: "https://layers.example.com/layer" }).end()
      }
      if (/\/gone\/blobs\//.test(path)) {
        return (response) =>
          response.writeHead(404).end(`{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}`)
      }
      const [, failing = ""] = /^\/v2\/(private|busy|failing)\/manifests/.exec(path) ?? []
      const [status, code] = failures[failing] ?? []
      return status === undefined
        ? undefined
        : (response) => response.writeHead(status).end(JSON.stringify({ errors: [{ code, message: code }] }))
    }
  )
  pyro = installation("pyro-refusals-")
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

// test/guest/environment-image.test.ts has wrong content and a forbidden address, in `npm test`.
describe("a pull that cannot succeed", { concurrent: false }, () => {
  it.each([
    ["diffs:1", "digest", /other content than the image's configuration says/],
    ["kinds:1", "image", /a layer of the type|unsupported|mediaType|media type/i],
    ["lists:1", "image", /which is no image|not supported|unsupported|unable to/i],
    ["foreign:1", "platform", /this host runs linux\/amd64, and the image is for linux\/arm64\./],
    ["broken:1", "image", /a layer is no whole tar archive/],
    ["linked:1", "image", /the entry 'etc\/shadow' is a hard link to 'etc\/gone', which is not there/],
    ["hosts:1", "image", /\/etc\/hosts is no file/],
    ["cut:1", "image", /a layer is damaged: its archive ends within an entry \(sha256:[0-9a-f]{64}\)/],
    ["short:1", "image", /a layer is damaged: its archive ends within an entry/],
    ["gone:1", "incomplete", /has the image, but not all of its parts: .*blob/],
    ["absent:1", "not_found", /has no such image: .*unknown/],
    ["index:1", "platform", /and the image is for linux\/arm64, linux\/s390x\./],
    ["elsewhere:1", "policy", /: pyro env pull \S+ --allow-host layers\.example\.com/],
    ["private:1", "unauthorized", /: docker login 127\.0\.0\.1:\d+$/m],
    ["busy:1", "rate_limit", /for now/],
    ["failing:1", "server", /Try again$/m]
  ])("%s is refused (%s), and leaves nothing", async (name, reason, said) => {
    const refused = await pyro.failure(["env", "pull", `${registry.host}/${name}`])
    assert.strictEqual(refused.code, "image_pull_failed", refused.message)
    assert.deepStrictEqual([refused["reason"], said.test(refused.message)], [reason, true], refused.message)
    const { environments } = await pyro.json<{ readonly environments: ReadonlyArray<{ readonly name: string }> }>(
      ["env", "list"]
    )
    assert.notInclude(environments.map((one) => one.name), `${registry.host}/${name}`)
    assert.deepStrictEqual(pyro.workspaceIds(), [])
  })

  it("a registry that does not answer is no reason to try again at once", async () => {
    const refused = await pyro.failure(["env", "pull", "127.0.0.1:9/none:1"])
    assert.deepInclude(refused, { code: "image_pull_failed", reason: "unreachable" })
    assert.match(refused.message, /no connection with 127\.0\.0\.1:9: .*refused the connection/)
  })
})
