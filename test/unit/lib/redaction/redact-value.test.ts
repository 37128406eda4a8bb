import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Logger, Redacted } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { FileRefused, VmFailed } from "../../../../src/contract/errors/errors.ts"
import { withRedactedLog } from "../../../../src/daemon/redacted-log.ts"
import { redactValue } from "../../../../src/lib/redaction/redact.ts"
import { type SecretRegistry, secretSet } from "../../../../src/lib/redaction/secrets.ts"
import { type EventLog, readEvents, recordEvent } from "../../../../src/workspace/entry/events.ts"
import { writeSecrets } from "../../../../src/workspace/residents/secret/secret-file.ts"
import { initialSecrets, openSecrets } from "../../../../src/workspace/residents/secret/workspace-secrets.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"

const TOKEN = "correct horse battery"
const sets = [secretSet([{ name: "TOKEN", value: TOKEN }])!]

/** Runs work in a process that knows the secret of a folder. */
const withSecret = <A, E>(work: (folder: string) => Effect.Effect<A, E, EventLog | SecretRegistry>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-secret-"))),
    (folder) =>
      Effect.scoped(
        writeSecrets(folder, initialSecrets({ secrets: { TOKEN: Redacted.make(TOKEN) } })).pipe(
          Effect.andThen(openSecrets(folder)),
          Effect.andThen(work(folder))
        )
      ),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
  ).pipe(Effect.provide(eventLog))

describe("an answer with a secret", () => {
  it("has the name in texts, bytes, lists and keys", () => {
    const value = { text: `a ${TOKEN}`, list: [1, [TOKEN]], bytes: Buffer.from(TOKEN), [TOKEN]: null, flag: true }
    const redacted = redactValue(sets, value) as Record<string, unknown>
    assert.deepInclude(redacted, {
      text: "a [secret:TOKEN]",
      list: [1, ["[secret:TOKEN]"]],
      "[secret:TOKEN]": null,
      flag: true
    })
    assert.strictEqual(Buffer.from(redacted["bytes"] as Uint8Array).toString(), "[secret:TOKEN]")
    assert.strictEqual(value.text, `a ${TOKEN}`)
  })

  it("is the same value if the secret is not there", () => {
    const value = { text: "a", list: [{ b: 1 }], bytes: Buffer.from("c") }
    assert.strictEqual(redactValue(sets, value), value)
  })

  it("keeps the class, the code and the message of an error", () => {
    const failure = redactValue(
      sets,
      new VmFailed({ step: "run", detail: "QEMU ended", consoleTail: `panic ${TOKEN}` })
    )
    assert.instanceOf(failure, VmFailed)
    assert.strictEqual(failure.code, "vm_failed")
    assert.strictEqual(failure.consoleTail, "panic [secret:TOKEN]")
    const refused = redactValue(sets, new FileRefused({ path: TOKEN, reason: "not_found", detail: "no such file" }))
    assert.strictEqual(refused.fact, "[secret:TOKEN]: no such file")
  })
})

describe("records of a process that knows a secret", () => {
  it.effect("the event log has the name", () =>
    withSecret((folder) =>
      Effect.gen(function*() {
        yield* recordEvent(folder, { _tag: "agent", level: "error", text: `killed ${TOKEN}` })
        assert.deepInclude((yield* readEvents(folder))[0], { text: "killed [secret:TOKEN]" })
      })
    ))

  it.effect("lines of the log have the name, in messages, annotations and causes", () =>
    withSecret(() =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const logger = Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))
        yield* Effect.logError(`a ${TOKEN}`, Cause.die(new Error(TOKEN))).pipe(
          Effect.annotateLogs("of", TOKEN),
          withRedactedLog,
          Effect.provide(Logger.layer([logger]))
        )
        assert.lengthOf(lines, 1)
        assert.notInclude(lines[0], TOKEN)
        assert.strictEqual(lines[0]!.split("[secret:TOKEN]").length - 1 >= 3, true, lines[0])
      })
    ))
})
