import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, smallSizes } from "../support/installation.ts"
import { makeTestAuthority } from "../support/network/certificates.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-trust-test-")
let certificate: string
let pyro: ReturnType<typeof installation>

beforeAll(async () => {
  certificate = (await makeTestAuthority()).certificate.trim()
  const file = path.join(folder, "company.pem")
  fs.writeFileSync(file, certificate)
  pyro = installation("pyro-trust-", { env: { NODE_EXTRA_CA_CERTS: file } })
})

afterAll(async () => {
  await pyro.close()
  remove()
})

describe("certificates of a guest", { concurrent: false }, () => {
  it("a small image without any gets all that the host trusts, once it may trust the host's", async () => {
    const created = await pyro.call(["create", "debian:12", ...smallSizes, "--name", "bare", "--allow-host", "pypi"])
    assert.strictEqual(created.code, 0, created.stderr)
    const emptied = await pyro.call(["exec", "bare", "--", "rm", "-rf", "/etc/ssl"])
    assert.strictEqual(emptied.code, 0, emptied.stderr)
    const set = await pyro.call(["network", "set", "bare", "--trust-host-certificates"])
    assert.strictEqual(set.code, 0, set.stderr)
    const shown = await pyro.call(["exec", "bare", "--", "sh", "-c", "cat \"$PIP_CERT\"; ls /etc/ssl"])
    assert.strictEqual(shown.code, 0, shown.stderr)
    const text = shown.stdout.toString()
    assert.include(text, certificate)
    // The public authorities, too: the variables name this bundle alone.
    assert.isAbove(text.split("BEGIN CERTIFICATE").length, 50)
    assert.match(text, /\ncerts\npyro-extra\.pem\n$/)
  })

  it("a builder knows the public authorities: registries send it to hosts that pyro does not stand before", async () => {
    const counted = await pyro.call(
      [
        "run",
        "builder",
        "--mem-mib",
        "256",
        "--",
        "grep",
        "-c",
        "BEGIN CERTIFICATE",
        "/etc/ssl/certs/ca-certificates.crt"
      ]
    )
    assert.isAbove(Number(counted.stdout.toString()), 50, counted.stderr)
  })
})
