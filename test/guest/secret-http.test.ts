import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { makeTestAuthority } from "../support/network/certificates.ts"
import { networkHost } from "../support/network/host.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const HOST = "server.test.net"
/** The server answers with REAL in place of this value, so that redaction does not hide what arrived. */
const VALUE = "real-token"

const { folder, remove } = temporaryFolder("pyro-secret-http-")
let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
beforeAll(async () => {
  const authority = await makeTestAuthority()
  host = await networkHost(await authority.identityOf(HOST))
  const trust = join(folder, "trust.pem")
  writeFileSync(trust, authority.certificate)
  pyro = installation("pyro-secret-http-", { enter: host.enter, env: { SSL_CERT_FILE: trust } })
})
afterAll(async () => {
  await pyro.close()
  await host.close()
  remove()
})

const token = { env: { TOKEN: VALUE } }

describe("a secret of a host", { concurrent: false }, () => {
  it("the guest has a placeholder, and the host gets the value", async () => {
    await pyro.create(
      ["--name", "a", "--secret-env", "TOKEN", "--secret-http", `TOKEN@${HOST}`, "--allow-host", HOST],
      token
    )
    const placeholder = await pyro.sh("a", "printf %s \"$TOKEN\"")
    assert.match(placeholder, /^pyro_secret_TOKEN_[0-9a-f]{32}$/)
    const asked = ["--secret-env", "TOKEN=T", "--secret-mount", "TOKEN", "--script", "echo $T; cat /run/secrets/TOKEN"]
    const { stdout } = await pyro.call(["workspace", "exec", "a", ...asked])
    assert.strictEqual(stdout.toString(), `${placeholder}\n${placeholder}`)
    assert.include(
      await pyro.sh("a", `curl -sS -H "Authorization: Bearer $TOKEN" https://${HOST}/`),
      "\"authorization\":\"Bearer REAL\""
    )
    const python = "import os, urllib.request as u\n" +
      `print(u.urlopen(u.Request("https://${HOST}/", headers={"X-Key": os.environ["TOKEN"]})).read().decode())`
    assert.include(await pyro.sh("a", `python3 -c '${python}'`), "\"x-key\":\"REAL\"")
  })

  it("the value is in no file and no environment of the guest", async () => {
    assert.strictEqual(
      await pyro.sh(
        "a",
        "grep -rlaF \"$(printf real-; printf token)\" /proc/*/environ /etc /root /tmp /run /usr/local /workspace 2> /dev/null | grep -v /proc/$$/ || true"
      ),
      ""
    )
  })

  it("a request to another host on the connection is denied and logged", async () => {
    assert.strictEqual(
      await pyro.sh(
        "a",
        `curl -sS -o /dev/null -w '%{http_code}' -H 'Host: evil.test' -H "X-Key: $TOKEN" https://${HOST}/`
      ),
      "421"
    )
    const { entries } = await pyro.json<{ readonly entries: ReadonlyArray<{ readonly reason?: string }> }>(
      ["workspace", "network", "log", "a", "--denied"]
    )
    assert.match(entries.map(({ reason }) => reason).join("\n"), /names the host "evil.test"/)
  })

  it("a placeholder in a request without TLS is denied and logged", async () => {
    assert.strictEqual(
      await pyro.sh("a", `curl -sS -o /dev/null -H "X-Key: $TOKEN" http://${HOST}/ 2> /dev/null || echo $?`),
      "56"
    )
    const { entries } = await pyro.json<{ readonly entries: ReadonlyArray<{ readonly reason?: string }> }>(
      ["workspace", "network", "log", "a", "--denied"]
    )
    assert.match(
      entries.map(({ reason }) => reason).join("\n"),
      /sent the placeholder of the secret TOKEN to server\.test\.net:80, which does not get the secret/
    )
  })

  it("a fork has the hosts of its origin, and none without secrets", async () => {
    const script = `curl -sS -H "Authorization: Bearer $TOKEN" https://${HOST}/`
    await pyro.json(["workspace", "fork", "a", "--name", "b"])
    assert.include(await pyro.sh("b", script), "\"authorization\":\"Bearer REAL\"")
    await pyro.json(["workspace", "fork", "a", "--name", "c", "--without-secrets"])
    assert.strictEqual(await pyro.sh("c", "printf %s \"${TOKEN-none}\""), "none")
  })

  it("a host that no longer gets a secret denies its placeholder, until the host gets the secret again", async () => {
    const code = () => pyro.sh("a", `curl -sS -o /dev/null -w '%{http_code}' -H "X-Key: $TOKEN" https://${HOST}/`)
    await pyro.json(["workspace", "update", "a", "--secret", "TOKEN=other-value", "--secret-http", `TOKEN@${HOST}`])
    assert.strictEqual(await code(), "200")
    const status = await pyro.status("a") as { readonly secret_http?: ReadonlyArray<string> }
    assert.deepStrictEqual(status.secret_http, [`TOKEN@${HOST}`])
    await pyro.sh("a", "printenv TOKEN > /tmp/placeholder")
    await pyro.json(["workspace", "update", "a", "--clear-secret", "TOKEN"])
    const kept = `curl -sS -w '%{http_code}' -H "X-Key: $(cat /tmp/placeholder)" https://${HOST}/`
    assert.match(await pyro.sh("a", kept), /placeholder of the secret TOKEN, which this host does not get\n403$/)
    await pyro.json(["workspace", "update", "a", "--secret-env", "TOKEN", "--secret-http", `TOKEN@${HOST}`], token)
    assert.include(await pyro.sh("a", kept), "\"x-key\":\"REAL\"")
  })

  it("one command in a new microVM has a placeholder, and the host gets the value", async () => {
    const script = `printenv TOKEN; curl -sS -H "X-Key: $TOKEN" https://${HOST}/`
    const words = ["run", "--mem-mib", "256", "--secret-http", `TOKEN@${HOST}`, "--allow-host", HOST]
    const { code, stderr, stdout } = await pyro.call([...words, "--script", script], token)
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout.toString(), /^pyro_secret_TOKEN_[0-9a-f]{32}\n.*"x-key":"REAL"/)
    const missing = await pyro.failure([...words, "--script", script])
    assert.deepInclude(missing, { code: "invalid_request", field: "--secret-http" })
    assert.match(missing.message, /no secret TOKEN/)
  })

  it("a value that does not fit into a header, and a host without its secret, are refused", async () => {
    const refused = { code: "invalid_request", field: "--secret-http" }
    const unfit = await pyro.failure(
      ["workspace", "create", "--secret-env", "TOKEN", "--secret-http", `TOKEN@${HOST}`],
      { env: { TOKEN: "two\nlines of it" } }
    )
    assert.deepInclude(unfit, refused)
    assert.match(unfit.message, /one line/)
    const missing = await pyro.failure(["workspace", "create", "--secret-http", `OTHER@${HOST}`])
    assert.deepInclude(missing, refused)
    assert.match(missing.message, /no secret OTHER/)
  })
})
