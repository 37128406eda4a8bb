import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import * as fs from "node:fs"
import type { InvalidRequest } from "../../../../src/contract/errors/errors.ts"
import type { GuestChannel } from "../../../../src/lib/guest-channel/GuestChannel.ts"
import { AgentCallFailed } from "../../../../src/lib/guest-channel/model/errors.ts"
import { folderOf, readWorkspace, WorkspaceId, writeWorkspace } from "../../../../src/workspace/entry/record.ts"
import { demandUser, idsIn, ownerOf } from "../../../../src/workspace/life/guest/workspace-user.ts"
import { residentKinds } from "../../../../src/workspace/residents/open/kinds.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"
import { recordOf } from "../record-of.ts"

const passwd = "root:x:0:0:root:/root:/bin/bash\nagent2:x:7:7::/:/bin/sh\nagent:x:1000:1000::/home/agent:/bin/bash\n"

/** A guest that has this /etc/passwd. */
const guestWith = (text: string | AgentCallFailed) =>
  ({
    read: () => typeof text === "string" ? Stream.make(Buffer.from(text, "latin1")) : Stream.fail(text)
  }) as unknown as GuestChannel

describe("the user of a workspace", () => {
  it("a workspace user's ids come from the first line of that name in /etc/passwd", () => {
    assert.deepStrictEqual(idsIn(passwd, "agent"), { uid: 1000, gid: 1000 })
    assert.deepStrictEqual(idsIn("agent:x:5:6::/:/bin/sh\n" + passwd, "agent"), { uid: 5, gid: 6 })
    assert.deepStrictEqual(idsIn("agent:x:5:6", "agent"), { uid: 5, gid: 6 })
    for (
      const text of [
        "",
        "agent",
        "agent:x",
        "agent:x::1000::",
        "agent:x:1000:-1::",
        "#agent:x:1:1::",
        "__proto__:x:1:1"
      ]
    ) {
      assert.isUndefined(idsIn(text, "agent"), text)
    }
  })

  it.effect("the guest is checked for the workspace user only if the user is not root", () =>
    Effect.gen(function*() {
      const never = { read: () => Stream.die("nobody reads") } as unknown as GuestChannel
      yield* demandUser(never, "root", "e")
      yield* demandUser(guestWith(passwd), "agent", "e")
      assert.isUndefined(ownerOf("root"))
      assert.deepStrictEqual(ownerOf("agent"), { uid: 1000, gid: 1000 })
    }))

  it.effect("a workspace user that the environment lacks, or has with other ids, is refused with the next step", () =>
    Effect.gen(function*() {
      const refusal = (text: string | AgentCallFailed) =>
        Effect.map(Effect.flip(demandUser(guestWith(text), "agent", "mine")), (failure) => failure as InvalidRequest)
      const none = /^workspace_user: the environment mine has no user "agent"; choose an environment that has this user/
      assert.match((yield* refusal("root:x:0:0:root:/root:/bin/bash\n")).message, none)
      const noFile = new AgentCallFailed({ operation: "read", errno: "ENOENT", detail: "etc/passwd" })
      assert.match((yield* refusal(noFile)).message, none)
      const other = yield* refusal("agent:x:1001:100::/home/agent:/bin/sh\n")
      assert.strictEqual(other.code, "invalid_request")
      assert.include(other.message, "has the ids 1001:100 instead of 1000:1000; choose an environment")
    }))

  it.effect("the workspace user is kept in the record, and is root in a record of format 2", () =>
    Effect.gen(function*() {
      const id = "ws-0123456789"
      const folder = folderOf(yield* temporaryDirectory, WorkspaceId.make(id))
      fs.mkdirSync(folder.directory, { recursive: true })
      const agents = { ...recordOf(id, "running"), workspaceUser: "agent" } as const
      yield* writeWorkspace(folder, agents, { flush: false })
      assert.strictEqual(Option.getOrThrow(yield* readWorkspace(folder, residentKinds)).workspaceUser, "agent")
      const { workspaceUser: _, ...older } = JSON.parse(fs.readFileSync(folder.record, "utf8"))
      fs.writeFileSync(folder.record, JSON.stringify({ ...older, format: 2 }))
      const read = Option.getOrThrow(yield* readWorkspace(folder, residentKinds))
      assert.deepInclude(read, { format: 3, workspaceUser: "root" })
      fs.writeFileSync(folder.record, JSON.stringify({ ...older, format: 3, workspaceUser: "nobody" }))
      assert.strictEqual((yield* Effect.flip(readWorkspace(folder, residentKinds)))._tag, "FileFailed")
    }))
})
