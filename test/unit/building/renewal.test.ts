import { assert, describe, it } from "vitest"
import { renewalOf } from "../../../src/building/renewal.ts"
import { typedStep } from "../../../src/contract/rows/next-steps.ts"
import type { EnvironmentStatus } from "../../../src/lib/environment/Environments.ts"

const oci = { digest: "", config: { env: [], entrypoint: [], command: [], exposedPorts: [] } }

const outdated = (name: string, more: Partial<EnvironmentStatus> = {}): EnvironmentStatus => ({
  name,
  description: "",
  state: "outdated",
  environment: undefined,
  own: undefined,
  ...more
})

const devcontainer = { key: "", label: "", env: [] }
const added = { from: "app", packages: ["jq", "make"], npm: [] }

describe("what renews an outdated environment", () => {
  it.each([
    [outdated("debian:12"), "pyro env pull debian:12"],
    [outdated("mine", { own: { ...added, from: "debian:12" } }), "pyro env pull mine"],
    [outdated("docker.io/library/python:3.12", { oci }), "pyro env pull docker.io/library/python:3.12"],
    [outdated("oci-archive:/tmp/my image.tar", { oci }), "pyro env pull 'oci-archive:/tmp/my image.tar'"],
    [outdated("more", { oci, own: added }), "pyro env build more --from app --packages jq --packages make --replace"],
    [outdated("dev", { oci: { ...oci, devcontainer } }), "pyro env build dev --replace --devcontainer DEVCONTAINER"],
    [
      outdated("app", { oci }),
      "pyro env build app --replace --dockerfile DOCKERFILE",
      "pyro env import SOURCE --name app --replace"
    ]
  ])("%j", (status, ...commands) => {
    assert.deepStrictEqual(
      renewalOf(status)?.map((step) => typedStep(step).slice(step.label.length + 2)),
      commands.filter((one) => one !== undefined)
    )
  })

  it("is nothing for one that is ready or absent", () => {
    assert.isUndefined(renewalOf({ ...outdated("a"), state: "ready" }))
    assert.isUndefined(renewalOf({ ...outdated("a"), state: "absent" }))
  })
})
