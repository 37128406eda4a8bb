import { assert, describe, it } from "vitest"
import { differingProxies, proxiesOf } from "../../../../src/system/settings/proxies.ts"

describe("the proxy variables", () => {
  it("the lower-case form comes first, and an empty value counts as none", () => {
    assert.deepStrictEqual(proxiesOf({ http_proxy: "a", HTTP_PROXY: "b", https_proxy: "", HTTPS_PROXY: "c" }), {
      http: "a",
      https: "c",
      all: undefined,
      no: undefined
    })
  })

  const both = (value: string) => ({ HTTP_PROXY: value, HTTPS_PROXY: value })
  it.each([
    ["none in both", {}, {}, []],
    ["an empty one", { HTTP_PROXY: "" }, {}, []],
    ["a new one", both("p"), {}, ["HTTP_PROXY", "HTTPS_PROXY"]],
    ["one that is gone", {}, { https_proxy: "p" }, ["https_proxy"]],
    ["another password", { HTTP_PROXY: "http://u:a@p" }, { HTTP_PROXY: "http://u:b@p" }, ["HTTP_PROXY"]],
    ["the other case of the same name", { http_proxy: "p" }, { HTTP_PROXY: "p" }, []],
    ["a lower-case form before the same one", { http_proxy: "q", HTTP_PROXY: "p" }, { HTTP_PROXY: "p" }, [
      "http_proxy"
    ]],
    ["the same proxies by another name", { ALL_PROXY: "p" }, both("p"), []],
    ["another rest", { ALL_PROXY: "p" }, { ALL_PROXY: "q" }, ["ALL_PROXY"]],
    ["exceptions without a proxy", { NO_PROXY: "a" }, {}, []],
    ["other exceptions", { ...both("p"), NO_PROXY: "a" }, { ...both("p"), no_proxy: "b" }, ["NO_PROXY"]]
  ])("%s: the variables that lead another way are named", (_, own, others, names) => {
    assert.deepStrictEqual(differingProxies(own, others), names)
  })
})
