import { assert, describe, it } from "@effect/vitest"
import { TextSearch } from "../../../../src/lib/network/daemon/connection/forbidden-text.ts"

const text = "pyro_secret_TOKEN_0123456789abcdef"
const texts = [{ text: "another_text", detail: "another" }, { text, detail: "the token" }]

/** What is found in a stream of pieces. */
const found = (pieces: ReadonlyArray<string>) => {
  const search = new TextSearch(texts)
  return pieces.map((piece) => search.find(Buffer.from(piece))?.detail).find((detail) => detail !== undefined)
}

const cut = (whole: string, size: number) => whole.match(new RegExp(`.{1,${size}}`, "gs")) ?? []

describe("the search for forbidden texts", () => {
  for (const size of [1, 2, 7, 33, 34, 1000]) {
    it(`a text is found in pieces of ${size} bytes`, () => {
      assert.strictEqual(found(cut(`GET /?key=${text} HTTP/1.1\r\n`, size)), "the token")
    })

    it(`the base64 of a text is found at each alignment in pieces of ${size} bytes`, () => {
      for (const before of ["", "a", "ab", "user:"]) {
        const encoded = Buffer.from(`${before}${text}:x`).toString("base64")
        assert.strictEqual(found(cut(`Authorization: Basic ${encoded}\r\n`, size)), "the token", before)
      }
    })
  }

  it("a part of a text is no text", () => {
    assert.isUndefined(found([text.slice(0, -1), "-", text.slice(1)]))
  })
})
