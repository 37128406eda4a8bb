import { assert, describe, it } from "vitest"
import { parseReference } from "../../../src/contract/text/image-reference.ts"
import { mirroredReferences, parseMirrors } from "../../../src/contract/text/registry-mirrors.ts"

const of = (image: string, mirrors: string) =>
  mirroredReferences(parseReference(image)!, parseMirrors(mirrors)!).map(({ mirror, reference }) => [
    mirror,
    reference.name
  ])

describe("mirrors of registries", () => {
  it("are asked in order, beneath their prefixes, and for the same tag and digest", () => {
    const mirrors = "docker.io=mirror.example.com/hub,localhost:5000 quay.io=other.example.com:8443/a/b"
    assert.deepStrictEqual(of("docker.io/python:3", mirrors), [
      ["mirror.example.com/hub", "mirror.example.com/hub/library/python:3"],
      ["localhost:5000", "localhost:5000/library/python:3"]
    ])
    const digest = `sha256:${"0".repeat(64)}`
    assert.deepStrictEqual(of(`quay.io/team/app:1@${digest}`, mirrors), [
      ["other.example.com:8443/a/b", `other.example.com:8443/a/b/team/app:1@${digest}`]
    ])
    assert.deepStrictEqual(of("ghcr.io/team/app", mirrors), [])
  })

  it.each([
    "docker.io",
    "docker.io=",
    "=mirror.example.com",
    "docker.io=mirror.example.com,",
    "docker.io=https://mirror.example.com",
    "docker.io=user:password@mirror.example.com",
    "docker.io=mirror.example.com/",
    "docker.io=mirror.example.com/UPPER",
    "docker.io=mirror",
    `docker.io=mirror.example.com/"]`,
    "Docker.io=mirror.example.com",
    "docker.io=a.example.com docker.io=b.example.com",
    `docker.io=${Array.from({ length: 9 }, (_, at) => `m${at}.example.com`).join(",")}`
  ])("%j is refused", (text) => assert.isUndefined(parseMirrors(text)))

  it("no mirrors are no mirrors", () => assert.deepStrictEqual(parseMirrors(""), {}))
})
