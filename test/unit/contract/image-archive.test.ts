import { assert, describe, it } from "vitest"
import {
  environmentOfFile,
  hasAbsolutePath,
  isImageName,
  parseArchive,
  withAbsolutePath
} from "../../../src/contract/text/image-archive.ts"

const resolve = (path: string) => path.startsWith("/") ? path : `/here/${path}`

describe("the source of an image that is in no registry", () => {
  it.each([
    ["oci:dir", { transport: "oci", path: "dir", image: undefined }],
    ["oci:/a b/dir:one", { transport: "oci", path: "/a b/dir", image: "one" }],
    ["oci-archive:a.tar", { transport: "oci-archive", path: "a.tar", image: undefined }],
    ["docker-archive:a.tar:app:2", { transport: "docker-archive", path: "a.tar", image: "app:2" }],
    ["docker-daemon:app:2", { transport: "docker-daemon", path: "", image: "app:2" }]
  ])("%s is read as skopeo reads it", (text, parts) => {
    assert.deepStrictEqual(parseArchive(text), { name: text, ...parts })
  })

  it.each([
    "a.tar",
    "/a.tar",
    "oci:",
    "oci-archive::x",
    "docker-archive:a.tar:",
    "dir:x",
    "oci:a\nb",
    "debian:12",
    `oci:${"a".repeat(5000)}`
  ])(
    "%j is none",
    (text) => assert.isUndefined(parseArchive(text))
  )

  it("only its path becomes absolute", () => {
    assert.strictEqual(withAbsolutePath("docker-archive:a.tar:app:2", resolve), "docker-archive:/here/a.tar:app:2")
    assert.strictEqual(withAbsolutePath("docker-daemon:app:2", resolve), "docker-daemon:app:2")
    assert.strictEqual(withAbsolutePath("debian:12", resolve), "debian:12")
    assert.deepStrictEqual(
      ["oci:/dir", "docker-daemon:app", "oci:dir", "a.tar"].map(hasAbsolutePath),
      [true, true, false, false]
    )
  })

  it("only images have such names", () => {
    assert.deepStrictEqual(
      ["oci:/dir", "docker.io/library/python:3", "python:3", "docker.io/python:3"].map(isImageName),
      [true, true, false, false]
    )
  })

  it.each([
    ["/tmp/App.tar.gz", "app"],
    ["my image (2).tar", "my-image-2-"],
    ["/x/.tar", ""],
    ["..", ""],
    [`${"n".repeat(80)}.tar`, "n".repeat(63)]
  ])("the file %s gives the name %j", (file, name) => assert.strictEqual(environmentOfFile(file), name))
})
