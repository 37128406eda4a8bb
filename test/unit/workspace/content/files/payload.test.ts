import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { payloadDefaults, payloadFields } from "../../../../../src/contract/rows/payload-fields.ts"
import {
  FileEditPayload,
  FileListPayload,
  FileReadPayload,
  FileWritePayload,
  workspaceFileEdit,
  workspaceFileList,
  workspaceFileRead,
  workspaceFileWrite
} from "../../../../../src/contract/rows/workspace-file.ts"

const write = { workspace: "w", path: "p" }
const refused = <A, I>(schema: Schema.Codec<A, I>, value: unknown) =>
  Result.isFailure(Schema.decodeUnknownResult(schema)(value))

describe("requests about files", () => {
  it("file requests carry raw bytes between programs and base64 in JSON", () => {
    const bytes = Uint8Array.of(0, 255, 10)
    const decode = Schema.decodeUnknownSync(FileWritePayload())
    assert.deepStrictEqual(decode({ ...write, content: bytes }).content, bytes)
    assert.deepStrictEqual(decode({ ...write, content: "AP8K" }).content, bytes)
    assert.strictEqual(Schema.encodeSync(FileWritePayload())({ ...write, content: bytes }).content, bytes)
    assert.isTrue(refused(FileWritePayload(), { ...write, content: "no base64!" }))
    assert.isTrue(refused(FileWritePayload(), { ...write, content: new Uint8Array(8_388_609) }))
  })

  it("a file request with invalid text, mode or version is refused", () => {
    const wrong = [
      { text: "\ud800" },
      { text: "ö".repeat(4_194_305) },
      { mode: "0" },
      { mode: "000" },
      { mode: "888" },
      { mode: "rwx" },
      { expected_version: "1" },
      { expected_version: "xabsent" },
      { path: "" },
      { path: "a\0b" }
    ]
    for (const fields of wrong) {
      assert.isTrue(refused(FileWritePayload(), { ...write, ...fields }), JSON.stringify(fields).slice(0, 40))
    }
    const most = [{ text: "ö".repeat(4_194_304) }, { content: new Uint8Array(8_388_608) }]
    for (const fields of most) assert.isFalse(refused(FileWritePayload(), { ...write, ...fields }))
    for (const fields of [{ mode: "755" }, { mode: "4755" }, { expected_version: "absent" }, { text: "" }]) {
      assert.isFalse(refused(FileWritePayload(), { ...write, ...fields }), JSON.stringify(fields))
    }
    assert.isTrue(refused(FileEditPayload(), { ...write, old_text: "", new_text: "x" }))
    assert.isTrue(refused(FileEditPayload(), { ...write, old_text: "a", new_text: "x", expected_version: "absent" }))
    assert.isTrue(refused(FileReadPayload(), { ...write, start_line: 0 }))
    assert.isTrue(refused(FileListPayload(), { ...write, limit: 10_001 }))
  })

  it("file requests have defaults, described fields and JSON Schemas", () => {
    assert.deepStrictEqual(payloadDefaults(FileListPayload()), { path: ".", recursive: false, limit: 1_000 })
    assert.deepStrictEqual(payloadDefaults(FileReadPayload()), { start_line: 1, max_bytes: 262_144 })
    assert.deepStrictEqual(payloadDefaults(FileEditPayload()), { replace_all: false })
    for (const row of [workspaceFileList, workspaceFileRead, workspaceFileWrite, workspaceFileEdit]) {
      for (const { description, name } of payloadFields(row.payload())) {
        assert.notStrictEqual(description, "", `${row.name} ${name}`)
      }
      assert.isObject(Schema.toJsonSchemaDocument(row.payload()).schema)
      assert.isObject(Schema.toJsonSchemaDocument(row.result()).schema)
    }
    const { properties } = Schema.toJsonSchemaDocument(FileWritePayload()).schema as unknown as {
      readonly properties: Record<string, { readonly anyOf: ReadonlyArray<unknown> }>
    }
    assert.deepInclude(properties["content"]?.anyOf[0], { type: "string", contentEncoding: "base64" })
  })
})
