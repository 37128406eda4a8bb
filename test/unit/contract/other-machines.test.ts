import { assert, describe, it } from "vitest"
import { WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import { sshAddress } from "../../../src/contract/text/ssh-address.ts"
import { GREETING_BYTES, greetingLine, readGreeting } from "../../../src/contract/wire/greeting.ts"
import { olderOf, versionAlone } from "../../../src/contract/wire/versions.ts"

describe("the address of a machine", () => {
  it.each([
    ["ssh://bench", { host: "bench" }],
    ["ssh://bench/", { host: "bench" }],
    ["ssh://me@bench.example:2222", { host: "bench.example", user: "me", port: 2222 }],
    ["ssh://me@[2001:db8::1]:22", { host: "2001:db8::1", user: "me", port: 22 }],
    ["ssh://192.0.2.7", { host: "192.0.2.7" }],
    ["ssh://my_alias", { host: "my_alias" }]
  ])("%s", (address, expected) => assert.deepStrictEqual(sshAddress(address), expected))

  it.each([
    "",
    "bench",
    "me@bench",
    "http://bench",
    "ssh://",
    "ssh://-oProxyCommand=id",
    "ssh://-oProxyCommand=id/",
    "ssh://bench/path",
    "ssh://bench?x",
    "ssh://bench#x",
    "ssh://-l@bench",
    "ssh://me:secret@bench",
    "ssh://bench:0",
    "ssh://bench:65536",
    "ssh://bench:x",
    "ssh://a b",
    "ssh://$(id)",
    "ssh://%24(id)",
    "ssh://`id`@bench",
    "ssh://a;id@bench",
    "ssh://bench\nx",
    "ssh://bench%0aProxyCommand",
    "ssh://be'nch"
  ])("is not %j", (address) => assert.isString(sshAddress(address)))
})

describe("two versions on two machines", () => {
  it.each([
    ["0.1.0", "0.1.0 (01234567)", undefined],
    ["0.1.0 (00000000)", "0.1.9 (11111111)", undefined],
    ["0.1.0", "0.2.0", "client"],
    ["0.2.0", "0.1.9", "server"],
    ["1.2.0", "1.9.3", undefined],
    ["0.9.0", "1.0.0", "client"],
    ["2.0.0", "1.9.0", "server"],
    ["0.1.0", "unknown", "client"]
  ])("%s and %s: %s is to be updated", (client, server, older) => assert.strictEqual(olderOf(client, server), older))

  it.each([
    ["0.1.0 (01234567)", "0.1.0"],
    ["1.20.3-beta.1", "1.20.3-beta.1"],
    ["0.2.0;$(id) (01234567)", "VERSION"],
    ["0.2.0$(id)", "VERSION"],
    ["$(id)", "VERSION"],
    ["0.2.0-`id`", "VERSION"],
    ["-g", "VERSION"]
  ])("%s is %s in a line for a shell", (version, alone) => assert.strictEqual(versionAlone(version), alone))
})

describe("the greeting of a server", () => {
  const after = Buffer.from([0, 1, 2])

  it("is found after what a login shell prints, and nothing of the messages after it is lost", () => {
    const said = Buffer.from("Welcome!\nlast login: pyro-serve-1 yesterday\r\n")
    const all = Buffer.concat([said, Buffer.from(greetingLine({})), after])
    for (let size = 0; size <= said.length + greetingLine({}).length - 1; size++) {
      assert.strictEqual(readGreeting(all.subarray(0, size))._tag, "More", `${size} bytes`)
    }
    assert.deepStrictEqual(readGreeting(all), { _tag: "Greeted", greeting: {}, rest: after })
  })

  it("may be an error", () => {
    const error = new WorkspaceNotFound({ workspace: "fix", similar: [] })
    const found = readGreeting(Buffer.from(greetingLine({ error })))
    assert.strictEqual(found._tag, "Greeted")
    assert.strictEqual(found._tag === "Greeted" ? found.greeting.error?.message : undefined, error.message)
  })

  it.each([
    "pyro-serve-1 \n",
    "pyro-serve-1 {\n",
    "pyro-serve-1 null\n",
    "pyro-serve-1 {\"error\":{\"_tag\":\"New\"}}\n"
  ])(
    "%j is none",
    (line) => assert.strictEqual(readGreeting(Buffer.from(line))._tag, "None")
  )

  it("comes soon, or never", () => {
    assert.strictEqual(readGreeting(Buffer.alloc(GREETING_BYTES, "x"))._tag, "More")
    assert.strictEqual(readGreeting(Buffer.alloc(GREETING_BYTES + 1, "x"))._tag, "None")
  })
})
