import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { toldError } from "../support/daemon/told-error.ts"
import { regularFilesBeneath } from "../support/files/files-beneath.ts"
import { installation } from "../support/installation.ts"
import { snapshots } from "../support/workspace/snapshots.ts"

const pyro = installation("pyro-secrets-")
const { call, close, create, daemonPid, failure, folder, json, state, status, step } = pyro
const { fork, snapshot } = snapshots(pyro)

const TOKEN = "correct horse battery"
const KEY = "-----BEGIN KEY-----\nfirst line of the key\nsecond line of the key\n-----END KEY-----\n"
const HIDDEN = [TOKEN, "first line of the key", Buffer.from(TOKEN).toString("base64").slice(0, 24)]

const run = async (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const { code, stderr, stdout } = await call(args, { env })
  return { code, stderr, stdout: stdout.toString() }
}
const exec = (name: string, script: string, ...options: ReadonlyArray<string>) =>
  run(["workspace", "exec", name, ...options, "--", "bash", "-c", script])
const secretsOf = async (name: string) => (await status(name) as { readonly secrets?: ReadonlyArray<string> }).secrets

/** Files of the state directory with a value, but for the files of secrets, and images and memory of guests. */
const files = () =>
  regularFilesBeneath(state)
    .filter((file) => !/^(secrets\.json|mem|state)$|\.(qcow2|ext4)$/.test(path.basename(file)))
    .filter((file) => fs.statSync(file).size < 16_777_216)
    .filter((file) => HIDDEN.some((value) => fs.readFileSync(file, "latin1").includes(value)))

const commandLines = () =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      return [fs.readFileSync(`/proc/${pid}/cmdline`, "latin1")]
    } catch {
      return [] // gone meanwhile
    }
  }).join("\n")

describe("secrets of a workspace", { concurrent: false }, () => {
  beforeAll(async () => {
    const keyFile = path.join(folder, "key")
    fs.writeFileSync(keyFile, KEY, { mode: 0o600 })
    await create(["--name", "fix", "--secret-env", "TOKEN", "--secret-file", `KEY=${keyFile}`], { env: { TOKEN } })
  })
  afterAll(close)

  it("a command has a secret as a variable, and its output, its log and its JSON have the name alone", async () => {
    const { code, stdout } = await exec(
      "fix",
      "echo \"a=$TOKEN b=$T c=$(echo -n \"$T\" | base64)\"; echo \"$TOKEN\" >&2",
      "--secret-env",
      "TOKEN",
      "--secret-env",
      "TOKEN=T"
    )
    assert.strictEqual(code, 0)
    assert.match(stdout, /^a=\[secret:TOKEN\] b=\[secret:TOKEN\] c=\[secret:TOKEN\].{0,2}\n$/)
    assert.strictEqual((await exec("fix", "echo \"<$TOKEN>\"")).stdout, "<>\n")
    const all = JSON.stringify(await json(["workspace", "logs", "fix"]))
    for (const value of HIDDEN) assert.notInclude(all, value)
  })

  it("a command has a secret as a file that its user alone can read, and that goes with the command", async () => {
    const { stderr, stdout } = await exec(
      "fix",
      "stat -c '%a %U %s' /run/secrets/KEY; stat -f -c %T /run/secrets/KEY; cat /run/secrets/KEY",
      "--secret-mount",
      "KEY",
      "--user",
      "agent"
    )
    assert.strictEqual(stdout, `400 agent ${KEY.length}\ntmpfs\n[secret:KEY]\n`, stderr)
    assert.strictEqual((await exec("fix", "ls /run/secrets")).stdout, "")
    for (
      const [option, value, reason] of [
        ["--secret-mount", "KEY=/workspace/key", /tmpfs/],
        ["--secret-mount", "KEY=/run/pyro/generation", /exists already/],
        ["--secret-env", "NOPE", /no secret NOPE; there are KEY, TOKEN/]
      ] as const
    ) {
      const refused = await failure(["workspace", "exec", "fix", option, value, "--", "true"])
      assert.deepInclude(refused, { code: "invalid_request", field: option })
      assert.match(refused.message, reason)
    }
  })

  it("content with a secret is refused unless a person allows the content, and a diff shows the name", async () => {
    await exec(
      "fix",
      "cat /run/secrets/KEY > /workspace/key; echo ok > /workspace/ok; touch \"/workspace/$TOKEN\"",
      "--secret-mount",
      "KEY",
      "--secret-env",
      "TOKEN"
    )
    const refused = await failure(["workspace", "file", "read", "fix", "key"])
    assert.deepInclude(refused, { code: "file_refused", reason: "secret" })
    assert.match(refused.message, /secret KEY/)
    assert.strictEqual(
      (await failure(["workspace", "file", "read", "fix", "key", "--start-line", "1", "--line-count", "2"])).code,
      "file_refused"
    )
    const read = await json<{ readonly text: string }>(["workspace", "file", "read", "fix", "key", "--allow-secrets"])
    assert.strictEqual(read.text, KEY)
    assert.strictEqual((await json<{ readonly text: string }>(["workspace", "file", "read", "fix", "ok"])).text, "ok\n")
    const diff = (await run(["workspace", "diff", "fix"])).stdout
    for (const value of HIDDEN) assert.notInclude(diff, value)
    assert.include(diff, "[secret:KEY]")
    assert.include(diff, "[secret:TOKEN]")
    for (const what of [["key"], ["."], ["--patch"]]) {
      const output = path.join(folder, "out")
      assert.strictEqual(
        (await failure(["workspace", "export", "fix", ...what, "--output", output])).code,
        "file_refused",
        what[0]
      )
      assert.isFalse(fs.existsSync(output), what[0])
    }
    const output = path.join(folder, "allowed")
    await json(["workspace", "export", "fix", "key", "--output", output, "--allow-secrets"])
    assert.strictEqual(fs.readFileSync(output, "utf8"), KEY)
    const answers = await Promise.all([
      run(["workspace", "file", "list", "fix", "--json"]),
      run(["workspace", "summary", "fix", "--json"]),
      run(["workspace", "file", "read", "fix", TOKEN.replaceAll(" ", "_") + TOKEN])
    ])
    for (const { stderr, stdout } of answers) for (const value of HIDDEN) assert.notInclude(stdout + stderr, value)
  })

  it("each way out for the whole of a workspace is refused: a commit, the disk and a saved snapshot", async () => {
    const output = path.join(folder, "whole")
    await json(["snapshot", "save", "fix", "whole", "--disk-only"])
    const ways = [
      ["commit", "fix", "leaky"],
      ["disk", "export", "fix", "--output", output],
      ["saved", "export", "whole", "--output", output]
    ]
    for (const words of ways) {
      const { code, message } = await failure(words)
      assert.strictEqual(code, "export_refused", words.join(" "))
      assert.match(message, /secrets, .* may have their values.*--allow-secrets/, words.join(" "))
    }
    assert.isFalse(fs.existsSync(output))
    const { environments } = await json<{ readonly environments: ReadonlyArray<{ readonly name: string }> }>([
      "env",
      "list"
    ])
    assert.notInclude(environments.map(({ name }) => name), "leaky")
    await json(["saved", "delete", "whole"])
  })

  it("no file of pyro but secrets.json has a value, no process has one in its command line, and others cannot read the file", async () => {
    assert.deepStrictEqual(files(), [])
    const { id } = await status("fix")
    const file = path.join(state, "workspaces", id, "secrets.json")
    assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
    for (const value of HIDDEN) assert.notInclude(commandLines(), value)
  })

  it("a snapshot says that it holds secrets, and a fork has the secrets unless it is made without them", async () => {
    const taken = await snapshot("fix", "green") as { readonly holds_secrets?: boolean }
    assert.isTrue(taken.holds_secrets)
    await fork("fix", "--name", "with")
    assert.deepStrictEqual(await secretsOf("with"), ["KEY", "TOKEN"])
    assert.strictEqual((await exec("with", "echo $TOKEN", "--secret-env", "TOKEN")).stdout, "[secret:TOKEN]\n")
    await fork("fix", "--snapshot", "green", "--name", "without", "--without-secrets")
    assert.deepStrictEqual(await secretsOf("without"), [])
    const { id } = await status("without")
    assert.deepStrictEqual(
      fs.readdirSync(path.join(state, "workspaces", id), { recursive: true }).filter((name) =>
        String(name).endsWith("secrets.json")
      ),
      []
    )
    await json(["workspace", "delete", "with", "without"])
  })

  it("a removed secret is still redacted until a reset, and a reset to a snapshot redacts the secret again and gives it to no command", async () => {
    await json(["workspace", "update", "fix", "--clear-secret", "TOKEN"])
    assert.deepStrictEqual(await secretsOf("fix"), ["KEY"])
    const print = `printf 'correct %s\\n' 'horse battery'`
    assert.strictEqual((await exec("fix", print)).stdout, "[secret:TOKEN]\n")
    await step("reset", "fix")
    assert.strictEqual((await exec("fix", print)).stdout, `${TOKEN}\n`)
    await json(["workspace", "reset", "fix", "--snapshot", "green"])
    assert.deepStrictEqual(await secretsOf("fix"), ["KEY"])
    assert.strictEqual((await exec("fix", print)).stdout, "[secret:TOKEN]\n")
    await fork("fix", "--snapshot", "green", "--name", "later")
    assert.deepStrictEqual(await secretsOf("later"), ["KEY"])
    await json(["workspace", "delete", "later"])
    await json(["workspace", "update", "fix", "--secret", `TOKEN=${TOKEN}`])
  })

  it("a command goes on under the next daemon without a byte of a secret, and its file goes with the command", async () => {
    const script =
      "cat /run/secrets/TOKEN | head -c 9; until [ -e /tmp/go ]; do sleep 0.05; done; tail -c +10 /run/secrets/TOKEN; echo .; sleep 0.1"
    const { exec_id: id } = await json<{ readonly exec_id: string }>(
      ["workspace", "exec", "fix", "--detach", "--secret-mount", "TOKEN", "--script", script]
    )
    await exec("fix", "until pgrep -f 'sleep 0.05' > /dev/null; do :; done")
    process.kill(await daemonPid(), "SIGKILL")
    await exec("fix", "touch /tmp/go")
    const { stdout } = await run(["workspace", "exec", "fix", "--exec-id", id])
    assert.match(stdout, /^(co)?\[secret:TOKEN\]\.\n$/)
    assert.strictEqual((await exec("fix", "ls /run/secrets")).stdout, "")
  })

  it("a command in a new microVM gets secrets of pyro's own environment", async () => {
    const { code, stderr, stdout } = await run(
      [
        "run",
        "--mem-mib",
        "256",
        "--secret-env",
        "TOKEN=T",
        "--secret-mount",
        "TOKEN",
        "--",
        "sh",
        "-c",
        "echo \"$T\"; cat /run/secrets/TOKEN"
      ],
      { TOKEN }
    )
    assert.strictEqual(stdout, "[secret:TOKEN]\n[secret:TOKEN]", stderr)
    assert.strictEqual(code, 0)
  })

  it("a short value is refused with the reason, and without the value", async () => {
    const { code, stderr, stdout } = await run(["workspace", "create", "--secret", "PIN=4711", "--json"])
    assert.strictEqual(code, 2)
    const error = toldError({ stdout })
    assert.deepInclude(error, { code: "invalid_request", field: "--secret" })
    assert.match(error.message, /8 bytes/)
    assert.notInclude(stdout + stderr, "4711")
  })

  it("the secrets go with the workspace", async () => {
    await json(["workspace", "delete", "fix"])
    assert.deepStrictEqual(
      fs.readdirSync(state, { recursive: true }).filter((name) => String(name).endsWith("secrets.json")),
      []
    )
  })
})
