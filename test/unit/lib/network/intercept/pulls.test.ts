import { assert, describe, it } from "vitest"
import { secretTargetOf } from "../../../../../src/contract/rows/secret-target.ts"
import { isPullOf } from "../../../../../src/lib/network/dialer/intercept/pulls.ts"
import { judgeRequest } from "../../../../../src/lib/network/dialer/intercept/request.ts"

const DIGEST = `sha256:${"a".repeat(64)}`
const of = (method: string, target: string) => isPullOf(["team/app", "lib"], { method, target })

describe("requests that pull repositories", () => {
  it.each([
    ["GET", "/v2/"],
    ["GET", "/v2/team/app/manifests/1.2-x"],
    ["HEAD", `/v2/team/app/manifests/${DIGEST}`],
    ["GET", `/v2/lib/blobs/${DIGEST}`],
    ["GET", "/token?account=user&scope=repository%3Ateam%2Fapp%3Apull&service=registry.example.com"],
    ["GET", "/v2/auth?scope=repository:lib:pull&scope=repository:team/app:pull"],
    ["GET", "/jwt/auth?scope=repository:lib:pull+repository:team/app:pull"],
    ["GET", "/token/?scope=repository:lib:pull"]
  ])("%s %s is one", (method, target) => assert.isTrue(of(method, target)))

  it.each([
    ["POST", "/v2/team/app/blobs/uploads/"],
    ["PUT", "/v2/team/app/manifests/1"],
    ["DELETE", "/v2/team/app/manifests/1"],
    ["POST", "/token?scope=repository:lib:pull"],
    ["GET", "/v2/_catalog"],
    ["GET", "/v2/team/app/tags/list"],
    ["GET", "/v2/team/other/manifests/1"],
    ["GET", "/v2/team/app2/manifests/1"],
    ["GET", "/v2/team/app/manifests/../../other/manifests/1"],
    ["GET", "/v2/team/app/manifests/%2e%2e"],
    ["GET", "/v2/team/app/blobs/.."],
    ["GET", "/v2/lib/manifests/1?n=1"],
    ["GET", "/v2/team/other/manifests/1?scope=repository:lib:pull"],
    ["GET", "/api/users?scope=repository:lib:pull"],
    ["GET", "/api/../token?scope=repository:lib:pull"],
    ["GET", "/api/%2e%2e/token?scope=repository:lib:pull"],
    ["GET", "/token"],
    ["GET", "/token?service=x"],
    ["GET", "/token?scope=repository:lib:pull,push"],
    ["GET", "/token?scope=repository:lib:*"],
    ["GET", "/token?scope=registry:catalog:*"],
    ["GET", "/token?scope=repository:lib:pull&scope=repository:other:pull"],
    ["GET", "/token?scope=repository:lib:pull&offline_token=true"],
    ["GET", "/token?scope=repository:lib:pull?x"],
    ["GET", "/"]
  ])("%s %s is none", (method, target) => assert.isFalse(of(method, target)))

  it("the value of a login is in pulls alone, and the placeholder in no other request", () => {
    const secret = { name: "P", placeholder: "pyro_secret_P_1", value: "the-password", header: "authorization" }
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`
    const judge = (target: string, headers: ReadonlyArray<readonly [string, string]>, method = "GET") =>
      judgeRequest({ foreign: [], secrets: [{ ...secret, pulls: ["lib"] }] }, "registry.test", {
        method,
        target,
        hosts: ["registry.test"],
        headers
      })
    const login = ["authorization", basic("user:pyro_secret_P_1")] as const
    const allowed = judge("/v2/lib/manifests/1", [login])
    assert.deepStrictEqual(
      allowed._tag === "Allowed" && allowed.headers[0],
      ["authorization", basic("user:the-password")]
    )
    for (const [target, method] of [["/v2/other/manifests/1", "GET"], ["/v2/lib/manifests/1", "PUT"]] as const) {
      assert.deepInclude(judge(target, [login], method), { _tag: "Denied", status: 403 })
    }
    assert.deepInclude(judge("/v2/other/manifests/1", [["x-other", "pyro_secret_P_1"]]), { _tag: "Denied" })
    assert.deepInclude(judge("/v2/other/manifests/1", [["authorization", "Bearer token"]]), { _tag: "Allowed" })
  })

  it("a secret of a host names the repositories that it pulls", () => {
    assert.deepStrictEqual(secretTargetOf("P@registry.test:5000:authorization+pull=team/app+pull=lib"), {
      name: "P",
      host: "registry.test",
      port: 5000,
      header: "authorization",
      pulls: ["team/app", "lib"]
    })
    assert.deepStrictEqual(secretTargetOf("P@registry.test+pull=lib")?.pulls, ["lib"])
    for (const item of ["P@openai+pull=lib", "P@registry.test+pull=", "P@registry.test+pull=../a", "P@a.b+pull=A"]) {
      assert.isUndefined(secretTargetOf(item), item)
    }
  })
})
