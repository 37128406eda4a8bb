import * as fs from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { startDockerRegistry } from "../support/oci/docker-registry.ts"
import { imageOf, type TestImage } from "../support/oci/image.ts"
import { noise } from "../support/oci/noise.ts"
import { probeIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { sharedCache } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-trouble-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let large: TestImage
let busy = 0
let isWell = false

const sized = (name: string, bytes: number) =>
  imageOf([[probeIn(folder), { name, data: noise(name, bytes) }]], { Cmd: ["/probe"] })

beforeAll(async () => {
  large = sized("large", 8 * 1_048_576)
  const half = sized("half", 1_048_576)
  const [layer = ""] = JSON.parse(half.manifest.toString()).layers.map(({ digest }: { digest: string }) => digest)
  registry = await startRegistry(
    {
      "silent:1": sized("silent", 1024),
      "half:1": half,
      "busy:1": sized("busy", 1024),
      "year:1": half,
      "headers:1": half
    },
    (asked) => {
      if (isWell) return undefined
      if (asked.startsWith("/v2/silent/")) return () => {}
      if (asked === `/v2/half/blobs/${layer}`) {
        return (response) => {
          const bytes = half.blobs.get(layer)!
          response.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, bytes.length / 2))
        }
      }
      if (asked.startsWith("/v2/headers/")) {
        return (response) => response.writeHead(200, { "x-large": "x".repeat(100_000) }).end("{}")
      }
      if (asked.startsWith("/v2/year/")) {
        return (response) => response.writeHead(429, { "retry-after": "31536000" }).end()
      }
      if (asked.startsWith("/v2/busy/manifests/") && busy++ < 2) {
        return (response) => response.writeHead(429, { "retry-after": "1" }).end()
      }
      return undefined
    }
  )
  pyro = installation("pyro-trouble-", { env: { PYRO_PULL_STALL_SECONDS: "20" } })
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

const reference = (name: string) => `${registry.host}/${name}`

const nothingIsLeft = async (host: string) => {
  const left = fs.readdirSync(path.join(sharedCache, "environments", "tmp"))
  assert.deepStrictEqual(left.filter((name) => name.startsWith(`image-${host.replace(":", "_")}`)), [])
  assert.deepStrictEqual(pyro.workspaceIds(), [])
}

describe("registries in trouble", { concurrent: false }, () => {
  it.each(["silent:1", "half:1"])("%s: a registry that stops sending ends the pull", async (name) => {
    const refused = await pyro.failure(["env", "pull", reference(name)])
    assert.deepInclude(refused, { code: "image_pull_failed", reason: "stalled" })
    assert.match(refused.message, /no byte came for 20 s\. Nothing was kept/)
    assert.match(refused.message, /PYRO_PULL_STALL_SECONDS/)
    await nothingIsLeft(registry.host)
  })

  it.each(["silent:1", "half:1"])("%s: a registry that stops sending ends the build of a Dockerfile", async (name) => {
    const context = path.join(folder, `context-${name.replace(":", "-")}`)
    fs.mkdirSync(context)
    fs.writeFileSync(path.join(context, "Dockerfile"), `FROM ${reference(name)}\nLABEL a=b\n`)
    const refused = await pyro.failure([
      "env",
      "build",
      "stalls",
      "--dockerfile",
      context,
      "--allow-host",
      registry.host
    ])
    assert.deepInclude(refused, { code: "image_pull_failed", reason: "stalled", image: reference(name) })
    assert.match(refused.message, /no byte came for 20 s/)
    assert.match(refused.message, /PYRO_PULL_STALL_SECONDS/)
    assert.deepStrictEqual(pyro.workspaceIds(), [])
  })

  it("a registry with endless headers is refused by the host", async () => {
    const refused = await pyro.failure(["env", "pull", reference("headers:1")])
    assert.deepInclude(refused, { code: "image_pull_failed", reason: "server" })
    assert.match(refused.message, /header/i)
    await nothingIsLeft(registry.host)
  })

  it("a registry that wants a pause of a year gets no second request", async () => {
    const refused = await pyro.failure(["env", "pull", reference("year:1")])
    assert.deepInclude(refused, { code: "image_pull_failed", reason: "rate_limit" })
    assert.match(refused.message, /after 31536000 s/)
    await nothingIsLeft(registry.host)
  })

  it("a short pause is taken", async () => {
    const pulled = await pyro.call(["env", "pull", reference("busy:1")])
    assert.deepStrictEqual([pulled.code, busy], [0, 3], pulled.stderr)
  })

  it("the next pull works", async () => {
    isWell = true
    for (const name of ["silent:1", "half:1"]) {
      const pulled = await pyro.call(["env", "pull", reference(name)])
      assert.strictEqual(pulled.code, 0, pulled.stderr)
    }
  })

  it("a registry that dies in the middle of a layer and starts again serves the same pull", async () => {
    const real = await startDockerRegistry(folder, { "team/large:1": large })
    let deaths = 0
    const front = http.createServer((request, response) => {
      const { headers, method, url } = request
      const onward = http.request({ socketPath: real.socket, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(response)
        answer.once("close", () => answer.complete || response.destroy())
        if (Number(answer.headers["content-length"]) < 1_048_576 || method !== "GET" || deaths > 0) return
        answer.once("data", () => {
          deaths += 1
          real.kill()
          void real.startAgain()
        })
      })
      onward.once("error", () => response.destroy())
      request.pipe(onward)
    })
    await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve))
    const host = `127.0.0.1:${(front.address() as AddressInfo).port}`
    const pulled = await pyro.call(["env", "pull", `${host}/team/large:1`])
    assert.deepStrictEqual([pulled.code, deaths], [0, 1], pulled.stderr)
    const ran = await pyro.call(["run", `${host}/team/large:1`, "--mem-mib", "256"])
    assert.match(ran.stdout.toString(), /^uid=0 /, ran.stderr)
    front.closeAllConnections()
    front.close()
    await real.close()
  })
})
