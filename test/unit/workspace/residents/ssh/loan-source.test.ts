import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as fs from "node:fs"
import { createServer } from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { filledFromVariable } from "../../../../../src/contract/rows/from-variable.ts"
import { agentHosts, socketOfCaller } from "../../../../../src/contract/rows/ssh-agent-fields.ts"
import { unknownHostText } from "../../../../../src/lib/ssh/lend-agent.ts"
import { socketTrouble } from "../../../../../src/system/files/own-socket.ts"

/** A folder with a socket, a file, and links to both. */
const world = Effect.acquireRelease(
  Effect.callback<{ readonly folder: string; readonly close: () => void }>((resume) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-socket-"))
    const server = createServer()
    fs.writeFileSync(`${folder}/file`, "")
    fs.symlinkSync("socket", `${folder}/link`)
    fs.symlinkSync("nothing", `${folder}/dangling`)
    server.listen(`${folder}/socket`, () => resume(Effect.succeed({ folder, close: () => void server.close() })))
  }),
  ({ close, folder }) =>
    Effect.sync(() => {
      close()
      fs.rmSync(folder, { recursive: true, force: true })
    })
)

describe("the socket of an agent", () => {
  it.live("is one of this user, also behind a link", () =>
    Effect.gen(function*() {
      const { folder } = yield* world
      for (const name of ["socket", "link"]) assert.isUndefined(socketTrouble(`${folder}/${name}`), name)
      for (const name of ["nothing", "dangling", "file/below"]) {
        assert.isDefined(socketTrouble(`${folder}/${name}`), name)
      }
      assert.strictEqual(socketTrouble(`${folder}/file`), "it is no socket")
      if (process.getuid!() !== 0) return
      // Root can open it, and does not lend it.
      fs.chownSync(`${folder}/socket`, 65_534, 65_534)
      assert.strictEqual(socketTrouble(`${folder}/socket`), "the socket belongs to another user")
    }))

  it("comes from the caller's SSH_AUTH_SOCK if a request lends an agent and names no socket", () => {
    const fill = (raw: Readonly<Record<string, unknown>>, value: string | undefined) =>
      filledFromVariable({ fromVariable: socketOfCaller }, raw, () => value)
    const lending = { ssh_agent: ["github.com"] }
    assert.deepStrictEqual(fill(lending, "/run/agent"), { ...lending, ssh_agent_socket: "/run/agent" })
    const named = { ...lending, ssh_agent_socket: "/own" }
    assert.deepStrictEqual(fill(named, "/run/agent"), named)
    for (const value of [undefined, ""]) assert.deepStrictEqual(fill(lending, value), lending)
    assert.deepStrictEqual(fill({ name: "fix" }, "/run/agent"), { name: "fix" })
    assert.deepStrictEqual(filledFromVariable({}, lending, () => "/run/agent"), lending)
  })
})

describe("a host that an agent is lent for", () => {
  it("is given to ssh with its port, if known_hosts has no key of it", () => {
    assert.match(unknownHostText("git.example.com"), /yourself: ssh git\.example\.com$/)
    assert.match(unknownHostText("[git.example.com]:2222"), /yourself: ssh -p 2222 git\.example\.com$/)
  })

  it("is no option of ssh", () => {
    const isHost = Schema.is(agentHosts("Hosts"))
    for (const host of ["git.example.com", "[git.example.com]:2222"]) assert.isTrue(isHost([host]), host)
    for (const host of ["-oProxyCommand", "[-oProxyCommand]:22", "$(id)", "a b"]) assert.isFalse(isHost([host]), host)
  })
})
