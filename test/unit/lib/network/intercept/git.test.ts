import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HOST, listenHttps, makeIdentity, makeIntercepted, PLACEHOLDER, run, VALUE } from "./intercepted.ts"

const REFERENCE = `${"a".repeat(40)}\trefs/heads/main\n`
const basic = (password: string) => `Basic ${Buffer.from(`user:${password}`).toString("base64")}`

describe("git with a secret of its host", () => {
  it.live("credentials with a placeholder open a repository that wants the value", () =>
    Effect.gen(function*() {
      const identity = yield* makeIdentity
      const upstream = yield* listenHttps(identity, (request, response) => {
        if (request.headers.authorization !== basic(VALUE)) {
          return response.writeHead(401, { "WWW-Authenticate": "Basic realm=\"git\"" }).end()
        }
        return response.end(request.url?.startsWith("/repo/info/refs") === true ? REFERENCE : "ref: refs/heads/main\n")
      })
      const { caFile, port } = yield* makeIntercepted({ identity, upstream })
      const { status, stderr, stdout } = yield* run("git", [
        ...["-c", `http.curloptResolve=${HOST}:${port}:127.0.0.1`],
        ...["ls-remote", `https://user:${PLACEHOLDER}@${HOST}:${port}/repo`, "refs/heads/main"]
      ], { env: { GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null", GIT_SSL_CAINFO: caFile } })
      assert.strictEqual(status, 0, stderr)
      assert.strictEqual(stdout, REFERENCE)
    }))
})
