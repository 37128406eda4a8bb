import { afterAll, assert, describe, it } from "vitest"
import { base, ownEnvironments, TOOLS } from "../support/images/own-environments.ts"

const { build, close, leftovers, own, pyro, runIn } = ownEnvironments("pyro-own-")

afterAll(close)

describe("an environment of one's own", { concurrent: false }, () => {
  it("an own environment has its base and its packages, and two names of equal content share one build", async () => {
    const [one, other] = await Promise.all([
      build("tools", base, ...TOOLS.toReversed()),
      build("toys:1", base, TOOLS.join())
    ])
    assert.deepStrictEqual([one.code, other.code], [0, 0], one.stderr + other.stderr)
    const builders = [one, other].filter(({ stderr }) => stderr.includes("unpacking the base system"))
    assert.lengthOf(builders, 1)
    const [tools, toys] = await own()
    assert.strictEqual(tools?.digest, toys?.digest)
    assert.deepStrictEqual([tools?.name, tools?.state, tools?.from, tools?.added_packages], [
      "tools",
      "ready",
      base,
      TOOLS
    ])
    const ran = await runIn("toys:1", "sh", "-c", "figlet -f term hi && tree --version")
    assert.match(ran.stdout.toString(), /^hi\ntree v/, ran.stderr)
    // What unpacked the base kept setuid bits.
    const asAgent = await pyro.call(["run", "toys:1", "--mem-mib", "256", "--user", "agent", "--", "sudo", "id", "-u"])
    assert.strictEqual(asAgent.stdout.toString(), "0\n", asAgent.stderr)
    const { packages } = await pyro.json<{ readonly packages: ReadonlyArray<{ readonly name: string }> }>([
      "env",
      "inspect",
      "tools"
    ])
    assert.includeMembers(packages.map(({ name }) => name), ["figlet", "tree", "sudo"])
    assert.deepStrictEqual(leftovers(), [])
  })

  it("building an own environment again changes nothing, and another definition of its name is refused", async () => {
    const again = await build("tools", base, ...TOOLS)
    assert.strictEqual(again.code, 0, again.stderr)
    assert.notInclude(again.stderr, "unpacking the base system")
    const error = await pyro.failure(["env", "build", "tools", "--from", base, "--packages", "figlet"])
    assert.deepInclude(error, { code: "environment_name_taken", environment: "tools" })
  })

  it("a build with an unknown package shows apt's message and leaves nothing", async () => {
    const error = await pyro.failure(["env", "build", "odd", "--from", "tools", "--packages", "no-such-package"])
    assert.strictEqual(error.code, "environment_build_failed")
    assert.include(error.message, "Unable to locate package no-such-package")
    assert.deepStrictEqual((await own()).map(({ name }) => name), ["tools", "toys:1"])
    assert.deepStrictEqual(leftovers(), [])
    assert.strictEqual((await pyro.failure(["run", "odd", "--", "true"])).code, "environment_unknown")
  })

  it("a build from an unknown environment is refused", async () => {
    const error = await pyro.failure(["env", "build", "odd", "--from", "debian:3", "--packages", "tree"])
    assert.strictEqual(error.code, "environment_unknown")
    assert.include(error["known"] as ReadonlyArray<string>, "toys:1")
  })

  it("a build says what to start from", async () => {
    const { code, message } = await pyro.failure(["env", "build", "odd"])
    assert.strictEqual(code, "invalid_request")
    assert.match(message, /--from .*--dockerfile.*pyro commit/)
  })
})
