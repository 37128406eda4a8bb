import { assert } from "vitest"
import { installation } from "../../installation.ts"
import { networkHost } from "../host.ts"
import { serveMirrors } from "../mirrors/serve.ts"
import { clientScripts } from "./clients.ts"
import { basic, privateServer } from "./server.ts"

const HOST = "private.test.net"
const VALUE = "value-of-the-token"

/** A pyro whose network has a host with private repositories. The host's side alone trusts the certificate. */
export const privateInstallation = async (state?: string) => {
  const server = privateServer(HOST, VALUE)
  const served = await serveMirrors([{
    hosts: [HOST],
    answer: (request, response) => Promise.resolve(server.listener(request, response)).then(() => {})
  }])
  const host = await networkHost(undefined, served)
  const pyro = installation("pyro-private-", {
    enter: host.enter,
    env: { SSL_CERT_FILE: served.trustFile, ...(state === undefined ? {} : { PYRO_STATE_DIR: state }) }
  })
  /** `Authorization` of the requests beneath a path. */
  const sent = (path: string) => [
    ...new Set(server.requests.filter((one) => one.startsWith(path)).map((one) => one.split(": ")[1] ?? ""))
  ]
  return {
    pyro,
    sent,
    scripts: clientScripts(HOST),
    accepted: { basic: basic(VALUE), bearer: `Bearer ${VALUE}`, token: VALUE },
    /** Creates a workspace whose variable TOKEN is a placeholder. */
    create: (environment: string, ...options: ReadonlyArray<string>) =>
      pyro.create(
        [
          ...[environment, "--name", "clients", ...options],
          ...["--secret-env", "TOKEN", "--secret-http", `TOKEN@${HOST}`, "--allow-host", HOST]
        ],
        { env: { TOKEN: VALUE } }
      ),
    /** Fails if a request had the placeholder, or if pyro denied a program its request. */
    isWithoutPlaceholder: async () => {
      const all = sent("/").map((one) => Buffer.from(one.replace(/^Basic /, ""), "base64").toString() + one)
      assert.isNotEmpty(all)
      assert.notInclude(all.join("\n"), "pyro_secret")
      const { entries } = await pyro.json<{ readonly entries: ReadonlyArray<unknown> }>(
        ["workspace", "network", "log", "clients", "--denied"]
      )
      assert.deepStrictEqual(entries, [])
    },
    sh: (script: string) => pyro.sh("clients", script),
    close: async () => {
      await pyro.close()
      await host.close()
      await served.close()
      server.close()
    }
  }
}
