import { assert, describe, it } from "vitest"
import { parseReference, probableReference } from "../../../../src/contract/text/image-reference.ts"
import { sourceOf } from "../../../../src/lib/recipe/image-source.ts"

const digest = `sha256:${"a".repeat(64)}`

describe("references to images", () => {
  it.each([
    ["docker.io/library/python:3.12-slim", "docker.io/library/python:3.12-slim"],
    ["docker.io/python", "docker.io/library/python:latest"],
    ["ghcr.io/owner/tool@" + digest, "ghcr.io/owner/tool@" + digest],
    ["ghcr.io/owner/tool:1@" + digest, "ghcr.io/owner/tool:1@" + digest],
    ["LOCALHOST:5000/a/b__c:x", "localhost:5000/a/b__c:x"],
    ["127.0.0.1:5000/odd", "127.0.0.1:5000/odd:latest"],
    ["registry.example.com:443/a", "registry.example.com:443/a:latest"]
  ])("%s is the image %s", (text, name) => {
    assert.strictEqual(parseReference(text)?.name, name)
    assert.strictEqual(parseReference(name)?.name, name, "a name names itself")
  })

  it.each([
    "debian:12",
    "python",
    "library/python",
    "docker.io/",
    "docker.io/Upper/case",
    "docker.io/a/../b",
    "docker.io/a:",
    "docker.io/a:-x",
    "docker.io/a@sha256:12",
    `docker.io/a@${digest}@${digest}`,
    "docker.io/a b",
    "docker.io/a;b",
    "-flag.io/a",
    "http://docker.io/a",
    `docker.io/${"a/".repeat(300)}a`
  ])("%s is no full reference", (text) => {
    assert.strictEqual(parseReference(text), undefined)
  })

  it.each([
    ["python:3.12", "docker.io/library/python:3.12"],
    ["owner/tool", "docker.io/owner/tool:latest"],
    ["docker.io/Library/Python:3.12-Slim", "docker.io/library/python:3.12-Slim"],
    ["GHCR.io/Owner/Tool@" + digest, "ghcr.io/owner/tool@" + digest],
    ["docker://quay.io/a/b:1", "quay.io/a/b:1"],
    ["https://registry.example.com:5000/a", "registry.example.com:5000/a:latest"],
    ["My Env", undefined],
    ["a:b:c", undefined]
  ])("%s is never guessed, and probably means %s", (text, name) => {
    assert.strictEqual(parseReference(text), undefined)
    assert.strictEqual(probableReference(text), name)
  })

  it("a builder may reach the registry alone, and the hosts of its layers where they are known", () => {
    const of = (text: string) => sourceOf(parseReference(text)!)
    assert.deepStrictEqual(of("registry.example.com/a:1"), {
      source: "docker://registry.example.com/a:1",
      plainHttp: false,
      allowHosts: ["registry.example.com:443"],
      registry: "registry.example.com:443"
    })
    assert.deepStrictEqual(of("docker.io/a").allowHosts, ["docker-hub"])
    assert.strictEqual(of("docker.io/a").registry, "registry-1.docker.io:443")
    assert.strictEqual(of(`ghcr.io/a/b:1@${digest}`).source, `docker://ghcr.io/a/b@${digest}`)
    assert.deepStrictEqual(of("localhost:5000/a"), {
      source: "docker://host.pyro.internal:5000/a:latest",
      plainHttp: true,
      allowHosts: ["host.pyro.internal:5000"],
      registry: "host.pyro.internal:5000"
    })
  })
})
