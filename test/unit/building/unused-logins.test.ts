import { Redacted } from "effect"
import { assert, describe, it } from "vitest"
import { unusedLogins } from "../../../src/building/devcontainer/create.ts"

const registryAuth = { "quay.io": Redacted.make("me:a-password") }

describe("logins of a creation", () => {
  it("are refused where nothing is pulled, and the message has no value", () => {
    const refused = unusedLogins({ registryAuth })
    assert.strictEqual(refused?.field, "registry_auth")
    assert.include(refused?.message, "env.pull")
    assert.notInclude(refused?.message, "a-password")
    assert.strictEqual(unusedLogins({ tokenHosts: ["auth.example.com"] })?.field, "token_hosts")
  })

  it("belong to a dev container", () => {
    assert.isUndefined(unusedLogins({ devcontainer: "/project", registryAuth, tokenHosts: ["auth.example.com"] }))
    assert.isUndefined(unusedLogins({}))
  })
})
