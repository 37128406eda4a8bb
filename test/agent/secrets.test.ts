import { assert } from "@effect/vitest"
import { Effect, Exit, Redacted, Schema, Scope, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { streamFromPull } from "../../src/contract/rows/event-batches.ts"
import { ExecPayload } from "../../src/contract/rows/workspace-exec.ts"
import { LogsPayload } from "../../src/contract/rows/workspace-logs.ts"
import { logLimits } from "../../src/lib/output-log/store.ts"
import { SecretRegistry } from "../../src/lib/redaction/secrets.ts"
import { newRequestId } from "../../src/system/processes/identity.ts"
import { folderOf, newWorkspaceId, type WorkspaceFolder } from "../../src/workspace/entry/record.ts"
import { openCommands } from "../../src/workspace/residents/exec/command-registry.ts"
import { exec } from "../../src/workspace/residents/exec/exec.ts"
import { logs } from "../../src/workspace/residents/exec/logs.ts"
import { writeSecrets } from "../../src/workspace/residents/secret/secret-file.ts"
import { initialSecrets, openSecrets } from "../../src/workspace/residents/secret/workspace-secrets.ts"
import { regularFilesBeneath } from "../support/files/files-beneath.ts"
import { Agent, until, withAgent } from "./agent.ts"

const TOKEN = "correct horse battery"

const newFolder = (secrets: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const folder = folderOf((yield* Agent).folder, newWorkspaceId())
    fs.mkdirSync(folder.directory, { recursive: true })
    const values = Object.entries(secrets).map(([name, value]) => [name, Redacted.make(value)] as const)
    yield* writeSecrets(folder.directory, initialSecrets({ secrets: Object.fromEntries(values) }))
    return folder
  })

/** The commands of a workspace in one process of pyro, which ends with the Scope. */
const openedIn = (folder: WorkspaceFolder, connect: object = {}) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const secrets = yield* Effect.provide(openSecrets(folder.directory), SecretRegistry.layer)
    const commands = yield* openCommands(folder, logLimits, secrets)
    const channel = yield* Agent.connect(connect)
    const generation = { channel, scope, memoryMib: 1024 }
    const start = (script: string, more: object = {}) => {
      const payload = { workspace: "w", exec_id: newRequestId(), command: ["bash", "-c", script], cwd: "/", ...more }
      return exec(commands, Effect.succeed(generation), Schema.decodeUnknownSync(ExecPayload())(payload), {})
    }
    const run = (script: string, more: object = {}) =>
      Effect.scoped(Effect.gen(function*() {
        const pull = yield* start(script, more)
        const events = yield* Stream.runCollect(streamFromPull(Effect.succeed(pull)))
        const output = events.flatMap((event) => event._tag === "Output" ? [event] : [])
        return {
          output: Buffer.concat(output.map(({ bytes }) => bytes)).toString(),
          next: output.at(-1)?.next ?? 0
        }
      }))
    const logOf = (id: string, cursor = 0) =>
      logs(commands, Schema.decodeUnknownSync(LogsPayload())({ workspace: "w", exec_id: id, cursor }))
    return { channel, commands, generation, secrets, run, start, logOf }
  })

/** Everything that pyro stores of a workspace, but for the file of secrets. */
const stored = ({ directory }: WorkspaceFolder) =>
  regularFilesBeneath(directory)
    .filter((file) => path.basename(file) !== "secrets.json")
    .map((file) => fs.readFileSync(file, "latin1"))
    .join("\n")

withAgent("a command with secrets", (it) => {
  it.effect("gets a secret as a variable, and its output, its log and its journal have the name alone", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder({ TOKEN })
      const { logOf, run } = yield* openedIn(folder)
      const execId = newRequestId()
      const script = `echo "a=$TOKEN"; printf %s "$T" | base64 >&2; printf '%s' "$TOKEN" # ${TOKEN}`
      const { next, output } = yield* run(script, { exec_id: execId, secret_env: ["TOKEN", "TOKEN=T"] })
      assert.include(output, "a=[secret:TOKEN]\n")
      assert.notInclude(output, TOKEN)
      assert.notInclude(output, Buffer.from(TOKEN).toString("base64").slice(0, 20))
      const { commands: [entry], output: logged } = yield* logOf(execId)
      assert.strictEqual(logged, output)
      assert.strictEqual(entry?.outputBytes, next)
      assert.notInclude(stored(folder), TOKEN)
      assert.strictEqual((yield* logOf(execId, next - 3)).output, output.slice(-3))
      assert.strictEqual(fs.statSync(`${folder.directory}/secrets.json`).mode & 0o777, 0o600)
    }))

  it.effect("has the variable only if the caller asks for the secret", () =>
    Effect.gen(function*() {
      const { run } = yield* openedIn(yield* newFolder({ TOKEN }))
      assert.strictEqual((yield* run("echo \"<$TOKEN>\"")).output, "<>\n")
    }))

  it.effect("does not start with a secret that the workspace lacks", () =>
    Effect.gen(function*() {
      const { run } = yield* openedIn(yield* newFolder({ TOKEN }))
      const failure = yield* Effect.flip(run("true", { secret_env: ["OTHER"] }))
      assert.strictEqual(failure._tag, "InvalidRequest")
      assert.include(failure.message, "there is no secret OTHER; there are TOKEN")
      const mistyped = yield* Effect.flip(run("true", { secret_env: ["TOKNE"] }))
      assert.include(mistyped.message, "there is no secret TOKNE; there are TOKEN. Did you mean TOKEN?")
    }))

  it.effect("prints a secret byte by byte, with pauses, and the output has two bytes of it at most", () =>
    Effect.gen(function*() {
      const { run } = yield* openedIn(yield* newFolder({ TOKEN }))
      const slowly = "for ((i = 0; i < ${#TOKEN}; i++)); do printf %s \"${TOKEN:i:1}\"; sleep 0.12; done; echo"
      const { output } = yield* run(slowly, { secret_env: ["TOKEN"] })
      assert.strictEqual(output, `${TOKEN.slice(0, 2)}[secret:TOKEN]\n`)
    }))

  it.effect("shows a prompt that ends like a secret begins, while the command waits", () =>
    Effect.gen(function*() {
      const { commands, start } = yield* openedIn(yield* newFolder({ TOKEN: "> a long secret" }))
      const execId = newRequestId()
      yield* start("printf 'name> '; sleep 100", { exec_id: execId, grace_seconds: 0 })
      yield* until("the whole prompt", () => commands.logs.get(execId)?.position === "name> ".length)
    }))

  it.effect("redacts a new value of a running command's secret, and the former value", () =>
    Effect.gen(function*() {
      const { run, secrets } = yield* openedIn(yield* newFolder({ TOKEN }))
      yield* secrets.change({ secrets: { TOKEN: Redacted.make("another value") } })
      const { output } = yield* run(`echo "$TOKEN ${TOKEN}"`, { secret_env: ["TOKEN"] })
      assert.strictEqual(output, "[secret:TOKEN] [secret:TOKEN]\n")
    }))

  it.effect("loses and repeats no byte when another process of pyro takes over in the middle of a secret", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder({ TOKEN })
      const execId = newRequestId()
      const gate = `${(yield* Agent).folder}/gate`
      const halves = [TOKEN.slice(0, 9), TOKEN.slice(9)] as const
      const script = `printf 'one ${halves[0]}'; until [ -e ${gate} ]; do sleep 0.01; done; echo '${halves[1]} two'`
      const first = yield* Scope.make()
      const before = yield* Scope.provide(openedIn(folder), first)
      // Not ended with the Scope, as with a killed daemon.
      yield* Scope.provide(before.start(script, { exec_id: execId, detach: true }), first)
      const log = () => before.commands.logs.get(execId)?.position ?? 0
      yield* until("the beginning of the secret", () => log() >= "one co".length)
      yield* Scope.close(first, Exit.void)
      assert.strictEqual(log(), "one co".length)
      fs.writeFileSync(gate, "")
      const after = yield* openedIn(folder, { forget: false })
      yield* after.commands.adopt(after.generation)
      yield* until("the end", () => after.commands.journal.get(execId)?.end !== undefined)
      assert.strictEqual((yield* after.logOf(execId)).output, "one co[secret:TOKEN] two\n")
    }))
})
