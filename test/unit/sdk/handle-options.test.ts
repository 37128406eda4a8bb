import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { InvalidRequest } from "../../../src/contract/errors/errors.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { handleService, infoOf, rejection } from "./handle-service.ts"

describe("options of a handle", () => {
  const refusals: ReadonlyArray<readonly [options: object, field: string, detail: string]> = [
    [{ ttlMs: 0 }, "ttlMs", "must be more than 0 and at most 31536000000 ms"],
    [{ ttlMs: -1 }, "ttlMs", "must be more than 0 and at most 31536000000 ms"],
    [{ ttlMs: 1e15 }, "ttlMs", "must be more than 0 and at most 31536000000 ms"],
    [{ pauseAfterMs: -1 }, "pauseAfterMs", "must be from 0 to 31536000000 ms"],
    [{ memoryMib: 3 }, "memoryMib", "must be a whole number from 128 to 1048576 MiB"]
  ]
  it.each(refusals)("create refuses %o by the names that the program wrote", async (options, field, detail) => {
    const { connect } = handleService()
    assert.deepInclude(await rejection(connect().create(options)), { _tag: "InvalidRequest", field, detail })
  })

  it("an unknown option is answered with the options of the handle", async () => {
    const { connect } = handleService()
    const refused = await rejection(connect().create({ ttlMillis: 5 } as object))
    assert.deepInclude(refused, { _tag: "InvalidRequest", field: "ttlMillis" })
    assert.include((refused as InvalidRequest).detail, `"ttlMs" | "pauseAfterMs"`)
    assert.notInclude((refused as InvalidRequest).detail, "Seconds")
  })

  it("a command's time is refused in ms", async () => {
    const ws = await handleService().fix()
    const refused = { field: "timeoutMs", detail: "must be more than 0 and at most 604800000 ms" }
    assert.deepInclude(await rejection(ws.exec("true", { timeoutMs: 0 })), refused)
    assert.deepInclude(await rejection(ws.spawn("true", { timeoutMs: -1 })), refused)
  })

  it("the daemon's refusal has the handle's names, too, and keeps values as they are", async () => {
    const refuse = (field: string, detail: string) => Effect.fail(new InvalidRequest({ field, detail }))
    const ws = await handleService(undefined, {
      create: () => Stream.fromEffect(refuse("disk_only", `goes with from_snapshot only, not with "my_name"`)),
      update: () => refuse("pause_after_seconds", "must be more than ttl_seconds"),
      file: { ...unfakedPyro.workspace.file, edit: () => refuse("new_text", "is the same as old_text") }
    }).fix()
    const updated = await rejection(ws.update({ pauseAfterMs: 1 }))
    assert.deepInclude(updated, { field: "pauseAfterMs", detail: "must be more than ttlMs", workspaceId: ws.id })
    assert.deepInclude(await rejection(ws.files.edit("a", "b", "b")), {
      field: "newText",
      detail: "is the same as oldText"
    })
  })

  it("a part of a second of ttlMs and pauseAfterMs counts as a whole one", async () => {
    const { asked, connect } = handleService(undefined, {
      list: () => Effect.succeed({ workspaces: [infoOf("ws-1")] })
    })
    await connect().create({ ttlMs: 1, pauseAfterMs: 1_001 })
    await connect().create({ pauseAfterMs: 0 })
    assert.deepInclude(asked[0]?.[1], { ttlSeconds: 1, pauseAfterSeconds: 2 })
    assert.deepInclude(asked[1]?.[1], { pauseAfterSeconds: 0 })
  })
})
