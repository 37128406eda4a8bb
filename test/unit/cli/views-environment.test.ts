import { assert, describe, it } from "vitest"
import { shown } from "./shown.ts"

const environment = {
  name: "registry.example.com/app:1",
  description: "image",
  state: "ready",
  origin: "image",
  packages: []
} as const

describe("the view of an environment", () => {
  it("an image shows what it says of its programs", async () => {
    const { out } = await shown("env.inspect", {
      ...environment,
      imageDigest: "sha256:0123",
      image: {
        env: ["A=1", "B=two words"],
        user: "1234:50",
        workingDirectory: "/app",
        entrypoint: ["/bin/serve"],
        command: ["--name", "two words"],
        exposedPorts: ["53/udp", "8080/tcp"],
        stopSignal: "SIGQUIT",
        healthCheck: { command: ["/bin/serve", "--check me"] },
        labels: { "org.example.b": "two\nlines", a: "1" },
        labelsLeftOut: 3,
        volumes: ["/data", "/log"]
      }
    }, { environment: environment.name })
    for (
      const line of [
        /^manifest +sha256:0123$/m,
        /^user +1234:50$/m,
        /^directory +\/app$/m,
        /^command +\/bin\/serve --name 'two words'$/m,
        /^ports +53\/udp 8080\/tcp$/m,
        /^stop signal +SIGQUIT$/m,
        /^health check +\/bin\/serve '--check me'$/m,
        /^volumes +\/data \/log$/m,
        /^labels +org\.example\.b=two\\nlines\n +a=1\n +and 3 more$/m,
        /^variables +A=1\n +B=two words$/m
      ]
    ) assert.match(out, line)
  })

  it("an image that says nothing has the user root and no empty lines", async () => {
    const { out } = await shown("env.inspect", {
      ...environment,
      image: { env: [], entrypoint: [], command: [], exposedPorts: [], labels: {} }
    }, { environment: environment.name })
    assert.match(out, /^user +root$/m)
    assert.notMatch(out, /^(command|ports|variables|directory|stop signal|health check|volumes|labels)/m)
  })

  it("an outdated one says what renews it, in a list and alone", async () => {
    const name = "registry.example.com/app:1"
    const next = [{ label: "Renew it", call: "env.pull", with: { environment: name } }]
    const old = { ...environment, state: "outdated", next } as const
    const listed = await shown("env.list", { environments: [environment, old] }, {})
    const alone = await shown("env.inspect", old, { environment: environment.name })
    for (const { err } of [listed, alone]) {
      assert.match(
        err,
        /^registry\S+ is of an older recipe .* Renew it: pyro env pull registry\.example\.com\/app:1$/m
      )
    }
    assert.notInclude((await shown("env.list", { environments: [environment] }, {})).err, "Renew")
  })

  it("an environment of no image has none of these lines", async () => {
    const { out } = await shown("env.inspect", { ...environment, origin: "catalogue" }, { environment: "debian:12" })
    assert.notMatch(out, /^(user|command)/m)
  })

  it("a removal names what people named, counts the rest, and says what keeps the space", async () => {
    const removed = ["web", "a".repeat(64), `template ${"b".repeat(32)}`, `template ${"c".repeat(32)}`]
    const { out } = await shown("env.rm", { removed, freedBytes: 3 * 1024 * 1024 }, { environments: ["web"] })
    assert.strictEqual(out, "removed web\nremoved 1 image, 2 templates\n3 MiB freed\n")
    const names = Array.from({ length: 12 }, (_, at) => `try-${at + 1}`)
    for (
      const [keptBy, said] of [
        [["fix", "saved base"], "fix, saved base"],
        [names, `${names.slice(0, 10).join(", ")}, and 2 more`]
      ] as const
    ) {
      const kept = await shown("env.rm", { removed, freedBytes: 3 * 1024 * 1024, keptBy }, { environments: ["web"] })
      assert.isTrue(kept.out.endsWith(`\n3 MiB freed, once these are deleted: ${said}\n`), kept.out)
    }
    const nothing = await shown("env.rm", { removed: [], freedBytes: 0 }, { environments: ["web"] })
    assert.strictEqual(nothing.out, "nothing to remove\n")
  })
})
