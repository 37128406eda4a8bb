import { Redacted } from "effect"
import { assert, describe, it } from "vitest"
import { on } from "./on.ts"

const IMAGE = "quay.io/team/app:1"
const LOGIN = ["--registry-auth-file", "quay.io=/login", "--token-host", "auth.example.com"]

const create = (environment: string, present: ReadonlyArray<string>) =>
  on(["create", environment, ...LOGIN, "--mem-mib", "2048", "--driver", "auto", "--id-only"], {
    files: { "/login": Buffer.from("me:a-password") },
    answers: {
      "env.list": { environments: present.map((name) => ({ name })) },
      "env.pull": { _tag: "Ready", environment: { name: environment } },
      "workspace.create": { _tag: "Ready", workspace: { id: "ws-0123456789" } }
    }
  })

type Fields = { readonly registryAuth?: Readonly<Record<string, Redacted.Redacted>>; readonly tokenHosts?: unknown }

const fieldsOf = (called: Awaited<ReturnType<typeof create>>["called"], operation: string) => {
  const { registryAuth, tokenHosts } = called.find(([name]) => name === operation)?.[1] as Fields
  const login = registryAuth?.["quay.io"]
  return { login: login === undefined ? undefined : Redacted.value(login), tokenHosts }
}

describe("a creation of an image with a login", () => {
  it("pulls a missing image with the login, which the new workspace does not get", async () => {
    const { called } = await create(IMAGE, [])
    assert.deepStrictEqual(fieldsOf(called, "env.pull"), { login: "me:a-password", tokenHosts: ["auth.example.com"] })
    assert.deepStrictEqual(fieldsOf(called, "workspace.create"), { login: undefined, tokenHosts: undefined })
  })

  it("says what starts from the image, so that a full host refuses before the pull", async () => {
    const { called } = await create(IMAGE, [])
    const [, payload] = called.find(([name]) => name === "env.pull")!
    assert.deepInclude(payload, { nextMemoryMib: 2048, nextDriver: "qemu" })
  })

  it("of an image that is here uses no login", async () => {
    const { called } = await create(IMAGE, [IMAGE])
    assert.notInclude(called.map(([name]) => name), "env.pull")
    assert.deepStrictEqual(fieldsOf(called, "workspace.create"), { login: undefined, tokenHosts: undefined })
  })

  it("of another environment passes it on, and the daemon refuses it", async () => {
    const { called } = await create("debian:12", [])
    assert.strictEqual(fieldsOf(called, "workspace.create").login, "me:a-password")
  })
})
