import { assert, describe, it } from "@effect/vitest"
import { parseTargets, sourcesFor } from "../../../../src/lib/environment/model/debian-sources.ts"

const signed = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"

/** Lines as `apt-get indextargets` prints them on a host that has asked its mirrors before. */
const host = parseTargets([
  "http://mirror.test/debian/|bookworm|main|Debian",
  "http://mirror.test/debian/|bookworm|contrib|Debian",
  "http://mirror.test/debian/|bookworm-updates|main|Debian",
  "http://mirror.test/debian-security/|bookworm-security|main|Debian",
  "https://vendor.test/debian|bookworm|main|Some Vendor",
  ""
].join("\n"))

describe("sources of packages", () => {
  it("the package sources are the host's mirrors, with updates and security", () => {
    assert.deepStrictEqual(sourcesFor("bookworm", host), [
      `${signed} http://mirror.test/debian bookworm main`,
      `${signed} http://mirror.test/debian bookworm-updates main`,
      `${signed} http://mirror.test/debian-security bookworm-security main`
    ])
  })

  it("the package sources of another release are the host's mirrors", () => {
    assert.deepStrictEqual(sourcesFor("trixie", host), [
      `${signed} http://mirror.test/debian trixie main`,
      `${signed} http://mirror.test/debian trixie-updates main`,
      `${signed} http://mirror.test/debian-security trixie-security main`
    ])
  })

  it("the package sources leave out updates and security if the host lacks them", () => {
    const lines = parseTargets("http://mirror.test/debian/|trixie|main|Debian\n")
    assert.deepStrictEqual(sourcesFor("bookworm", lines), [`${signed} http://mirror.test/debian bookworm main`])
  })

  it("the package sources are found before the host's first apt update, when apt knows no origin", () => {
    const fresh = parseTargets(
      "http://mirror.test/debian/|bookworm|main|\nhttps://vendor.test/linux/|bookworm|main|$(ORIGIN)\n"
    )
    assert.deepStrictEqual(sourcesFor("bookworm", fresh), [`${signed} http://mirror.test/debian bookworm main`])
  })

  it("a host of another distribution, or one that installs from a disc, has no package sources", () => {
    const other = parseTargets(
      "http://archive.test/ubuntu/|noble|main|Ubuntu\ncdrom:[Debian 12]/|bookworm|main|Debian\n"
    )
    assert.deepStrictEqual(sourcesFor("bookworm", other), [])
  })
})
