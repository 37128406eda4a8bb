import { assert, beforeAll, describe, it } from "vitest"
import { buildFake } from "../cli/build-fake.ts"
import { textsIn } from "../support/daemon/samples.ts"
import { envelope, initialize } from "../support/mcp/mcp-messages.ts"
import { until } from "../support/pyro-cli.ts"
import { projectServers } from "./project-servers.ts"

const { serve } = projectServers(buildFake())

/** Sends one line; gives the next message that is not a notification. */
const answerTo = async (client: ReturnType<typeof serve>, line: string | Uint8Array) => {
  const before = client.messages.length
  client.child.stdin.write(Buffer.concat([Buffer.from(line), Buffer.from("\n")]))
  await until("there is an answer", () => client.messages.length > before)
  return client.messages.slice(before)
}

/** Tags, an override, a NUL, a space without a width, and half of a character. */
const HIDDEN = "a\0\u202e\u200b\u{e0068}\ud800z"

/** A name that is too long to repeat. */
const LONG = "l".repeat(100_000)

const LONG_NAMES: ReadonlyArray<readonly [method: string, params: object]> = [
  ["tools/call", { name: LONG, arguments: {} }],
  ["resources/read", { uri: LONG }],
  ["resources/read", { uri: `pyro://workspaces/${LONG}/diff` }],
  ["resources/read", { uri: `pyro://workspaces/ws-0123456789/files/${LONG}` }],
  ["prompts/get", { name: LONG }],
  ["resources/subscribe", { uri: LONG }],
  ["completion/complete", { ref: { type: "ref/prompt", name: LONG }, argument: { name: LONG, value: LONG } }],
  [LONG, {}]
]

const PING = "{\"jsonrpc\":\"2.0\",\"id\":1000,\"method\":\"ping\"}"

describe("a message that is none", () => {
  let client: ReturnType<typeof serve>
  beforeAll(async () => {
    client = serve([])
    await client.initialize()
  })

  it.each<readonly [string, number | string | null, number, RegExp]>([
    ["{\"jsonrpc\":\"2.0\",", null, -32700, /^parse error: a line must be one JSON-RPC message$/],
    ["\u0000", null, -32700, /^parse error/],
    ["[]", null, -32600, /^a batch is not supported: send one message a line$/],
    ["42", null, -32600, /^invalid request: a message must be an object$/],
    ["null", null, -32600, /must be an object/],
    ["{}", null, -32600, /jsonrpc must be "2\.0"/],
    [
      "{\"jsonrpc\":\"1.0\",\"id\":\"a\",\"method\":\"ping\"}",
      "a",
      -32600,
      /^invalid request: jsonrpc must be "2\.0"$/
    ],
    ["{\"jsonrpc\":\"2.0\",\"id\":\"b\"}", "b", -32600, /method must be a string/],
    ["{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", null, -32600, /id must be a string or an integer/],
    ["{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", null, -32600, /id must be/],
    ["{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"ping\",\"params\":[]}", "c", -32600, /params must be an object/],
    [
      "{\"jsonrpc\":\"2.0\",\"id\":\"d\",\"method\":\"ping\",\"params\":{\"_meta\":1}}",
      "d",
      -32600,
      /params\._meta must be an object/
    ],
    [
      "{\"jsonrpc\":\"2.0\",\"id\":\"e\",\"method\":\"ping\",\"params\":{\"_meta\":{\"progressToken\":{}}}}",
      "e",
      -32600,
      /progressToken must be a string or an integer/
    ],
    [
      "{\"jsonrpc\":\"2.0\",\"id\":\"f\",\"method\":\"ping\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/related-task\":1}}}",
      "f",
      -32600,
      /a field of params\._meta has another type/
    ],
    [
      "{\"jsonrpc\":\"2.0\",\"id\":\"g\",\"method\":\"tools/call\",\"params\":{}}",
      "g",
      -32602,
      /params\.name: expected string, and is missing/
    ],
    [
      "{\"jsonrpc\":\"2.0\",\"id\":\"h\",\"method\":\"resources/read\",\"params\":{}}",
      "h",
      -32602,
      /^params\.uri: expected string/
    ],
    [
      "{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"method\":\"tools/call\",\"params\":{\"name\":\"workspace_list\",\"arguments\":[]}}",
      "i",
      -32602,
      /params\.arguments: expected record/
    ],
    [
      "{\"jsonrpc\":\"2.0\",\"id\":\"j\",\"method\":\"initialize\",\"params\":{}}",
      "j",
      -32602,
      /^params\.protocolVersion: expected string/
    ]
  ])("%s gets an error", async (line, id, code, text) => {
    const [answer, ...more] = await answerTo(client, line)
    assert.lengthOf(more, 0)
    assert.strictEqual(answer!.id as unknown, id)
    assert.strictEqual(answer!.error?.code, code)
    assert.match(answer!.error?.message ?? "", text)
    assert.notInclude(answer!.error?.message ?? "", "\n")
    assert.deepStrictEqual((await answerTo(client, PING))[0]!.result, {})
    assert.strictEqual(client.stderr(), "")
  })

  it.each([
    ["tools/call", { name: HIDDEN, arguments: {} }],
    ["resources/read", { uri: `pyro://${HIDDEN}` }],
    ["resources/read", { uri: `pyro://workspaces/${HIDDEN}/diff` }],
    ["resources/read", { uri: `pyro://workspaces/ws-0123456789/files/${HIDDEN}` }],
    ["resources/read", { uri: `pyro://workspaces/${"x".repeat(1_000)}/diff` }],
    ["resources/read", { uri: "pyro://workspaces/%00/diff" }],
    ["prompts/get", { name: HIDDEN }],
    [HIDDEN, {}]
  ])(
    "%s of a name that nothing has is refused without a character that a reader would not see",
    async (method, params) => {
      const { error } = await client.request(method, params)
      assert.isDefined(error)
      assert.notInclude(error.message, "\n")
      assert.notStrictEqual(error.code, -32603)
      for (const [path, text] of textsIn(error)) assert.notMatch(text, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}]/u, path)
      assert.isBelow(JSON.stringify(error).length, 3_000)
    }
  )

  it("a name of 100,000 characters is refused, and no error repeats it whole", async () => {
    for (const [method, params] of LONG_NAMES) {
      const { error } = await client.request(method, params)
      assert.isDefined(error)
      assert.notStrictEqual(error.code, -32603)
      assert.isBelow(JSON.stringify(error).length, 3_000, method.slice(0, 40))
    }
  })

  it("the first message of a connection may be none", async () => {
    const client = serve([])
    assert.strictEqual((await answerTo(client, "hello"))[0]!.error?.code, -32700)
    assert.isDefined((await client.initialize()).result)
    await client.close()
    assert.strictEqual(client.stderr(), "")
  })

  it("a message that is not UTF-8 is refused, the first one too, and none of its texts becomes another", async () => {
    const client = serve([])
    const refusedBytes = {
      jsonrpc: "2.0",
      id: null,
      error: { code: -32700, message: "parse error: a line must be UTF-8" }
    }
    const inBytes = (message: object) => Buffer.from(JSON.stringify(envelope(7, message)), "latin1")
    assert.deepStrictEqual(await answerTo(client, inBytes(initialize("2025-06-18", { title: "\xff" }))), [
      refusedBytes as never
    ])
    assert.isDefined((await client.initialize()).result)
    for (const path of ["a\xff", "\xc0\xae", "\xed\xa0\x80", "\xe2\x82"]) {
      const params = { name: "workspace_file_write", arguments: { workspace_id: "fix", path, text: "x" } }
      assert.deepStrictEqual(await answerTo(client, inBytes({ method: "tools/call", params })), [refusedBytes as never])
    }
    assert.deepStrictEqual((await answerTo(client, PING))[0]!.result, {})
    await client.close()
    assert.strictEqual(client.stderr(), "")
  })

  it("each request of a batch gets the error, and notifications and responses in it get none", async () => {
    const client = serve([])
    await client.initialize()
    client.child.stdin.write(
      "[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\"},{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}," +
        "{\"jsonrpc\":\"2.0\",\"id\":\"r\",\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"ping\"}]\n"
    )
    await answerTo(client, PING)
    await until("the ping is answered", () => client.messages.some(({ id }) => id === 1000))
    const errors = client.messages.filter(({ error }) => error !== undefined)
    assert.deepStrictEqual(errors.map(({ id }) => id as unknown), ["a", "b"])
    for (const { error } of errors) assert.include(error, { code: -32600 })
    await client.close()
  })

  it("a batch of very many requests gets one error", async () => {
    const client = serve([])
    await client.initialize()
    const [answer] = await answerTo(client, `[${Array.from({ length: 100_000 }, () => PING).join(",")}]`)
    assert.strictEqual(answer!.id as unknown, null)
    await answerTo(client, PING)
    assert.lengthOf(client.messages, 3)
    await client.close()
  })

  it("a malformed response gets no answer, blank lines get none, and unknown members are ignored", async () => {
    const client = serve([])
    await client.initialize()
    client.child.stdin.write(
      "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"result\":{}}\n\n \r\n{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":1}\n"
    )
    const answers = await answerTo(client, "{\"jsonrpc\":\"2.0\",\"id\":\"y\",\"method\":\"ping\",\"more\":1}")
    assert.deepStrictEqual(answers, [{ jsonrpc: "2.0", id: "y", result: {} }] as never)
    await client.close()
    assert.strictEqual(client.stderr(), "")
  })

  it("what the SDK reports on stderr is one line", async () => {
    const client = serve([])
    await client.initialize()
    client.notify("notifications/cancelled", { requestId: {} })
    await answerTo(client, PING)
    await client.close()
    assert.match(client.stderr(), /^(?:|pyro mcp: [^\n]+\n)$/)
  })

  it("a message of more than 64 MiB is refused, and ends the connection", async () => {
    const client = serve([])
    await client.initialize()
    client.child.stdin.write("x".repeat(64 * 1_048_576 + 1))
    assert.strictEqual((await client.ended).code, 0)
    assert.match(client.messages.at(-1)?.error?.message ?? "", /more than 67108864 bytes ends the connection/)
  })
})

describe("a list", () => {
  it.each([
    ["tools/list", []],
    ["resources/list", []],
    ["resources/templates/list", []],
    ["prompts/list", ["--mode", "inspect"]]
  ])("%s refuses a cursor that it did not give", async (method, args) => {
    const client = serve(args)
    await client.initialize()
    assert.deepInclude((await client.request(method, { cursor: "abc" })).error, {
      code: -32602,
      message: "unknown cursor: this list has one page; ask without a cursor"
    })
    assert.isDefined((await client.request(method)).result)
    await client.close()
  })
})

describe("a resource that does not exist", () => {
  it("it has the error code of the revision", async () => {
    const uri = "pyro://workspaces/nobody"
    const legacy = serve([])
    await legacy.request("initialize", initialize("2025-11-25").params)
    assert.deepInclude((await legacy.request("resources/read", { uri })).error, { code: -32002, data: { uri } })
    await legacy.close()
    const modern = serve([])
    assert.deepInclude((await modern.request("resources/read", { uri, ...envelope() })).error, {
      code: -32602,
      data: { uri }
    })
    await modern.close()
  })
})
