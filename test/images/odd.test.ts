import { afterAll, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { oddImage, pullsOdd, pullsTheSame } from "../support/oci/odd.ts"
import { probeIn } from "../support/oci/probe.ts"
import { pullsOf } from "../support/oci/pulls.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-odd-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let pulls: ReturnType<typeof pullsOf>

beforeAll(async () => {
  const program = probeIn(folder)
  registry = await startRegistry({
    "odd:1": oddImage(program, "unpacked"),
    "added:1": oddImage(program, "added")
  })
  pyro = installation("pyro-odd-")
  pulls = pullsOf(pyro, registry)
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

// test/guest/environment-image.test.ts has layers that are unpacked, in `npm test`.
describe("images of odd entries", { concurrent: false }, () => {
  it.each([
    ["unpacked", "odd:1"],
    ["added to each other", "added:1"]
  ])("an image with layers that are %s becomes an environment with all of its entries", async (_, image) => {
    await pullsOdd(pyro, pulls, image)
  })

  it.each(["odd:1", "added:1"])("the same manifest gives the same bytes each time: %s", async (image) => {
    await pullsTheSame(pulls, image)
  })
})
