import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { ScreenOnly } from "../../../../src/lib/terminal/screen-only.ts"

const bytes = (text: string) => Buffer.from(text, "latin1")
const whole = (text: string) => Buffer.from(new ScreenOnly().pass(bytes(text))).toString("latin1")
const pieces = (text: string, size: number) => {
  const screen = new ScreenOnly()
  let output = ""
  for (let at = 0; at < text.length; at += size) {
    output += Buffer.from(screen.pass(bytes(text.slice(at, at + size)))).toString("latin1")
  }
  return output
}

/** A character beyond ASCII that is no control, in well-formed UTF-8 (Unicode, table 3-7). */
const CHARACTER = new RegExp(
  "\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|" +
    "\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}",
  "g"
)

const drawn = [
  "plain text\r\n\ttab\b\x07",
  "\x1b[1;38;5;196mred\x1b[38:2::1:2:3m\x1b[0m",
  "\x1b[2J\x1b[H\x1b[10;20f\x1b[K\x1b[3A\x1b[2S\x1b[1;24r\x1b[4@\x1b[2P\x1b[s\x1b[u",
  "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1000;1006h\x1b[?7l\x1b[!p\x1b[2 q",
  "\x1b7\x1b8\x1bM\x1bD\x1bE\x1bH\x1b=\x1b>\x1b(0lqk\x1b(B\x1b)0\x1b#8\x1bc\x0e\x0f",
  "\x1b]8;;https://example.com/\x1b\\link\x1b]8;;\x1b\\",
  Buffer.from("Grüße, naïve “quotes” … 日本語 🙂", "utf8").toString("latin1")
]

const leftOut: Readonly<Record<string, string>> = {
  "a title": "\x1b]0;evil\x07",
  "a title that ends with ST": "\x1b]2;evil\x1b\\",
  "the clipboard": "\x1b]52;c;ZXZpbA==\x07",
  "a question for the clipboard": "\x1b]52;c;?\x1b\\",
  "a question for a colour": "\x1b]11;?\x07",
  "a notification": "\x1b]777;notify;a;b\x07",
  "a working directory": "\x1b]7;file://host/\x07",
  "a link with control characters": "\x1b]8;;https://a/\r\nb\x1b\\",
  "a colour of the Linux console": "\x1b]P7aabbcc",
  "a title of screen": "\x1bkevil\x1b\\",
  "device attributes": "\x1b[c\x1b[>c\x1b[=c\x1b[0c\x1bZ\x05",
  "the cursor's position": "\x1b[6n\x1b[?6n\x1b[5n\x1b[?996n",
  "window operations": "\x1b[21t\x1b[22;0t\x1b[8;10;10t\x1b[>2t",
  "printing": "\x1b[i\x1b[?5i\x1b[4i",
  "modes": "\x1b[?2026$p\x1b[4$p\x1b[1$w",
  "version and keyboard": "\x1b[>q\x1b[>0q\x1b[?u\x1b[>1u\x1b[?4m",
  "a checksum of the screen": "\x1b[1;1;1;1;10;10*y",
  "settings": "\x1bP$qm\x1b\\\x1bP+q544e\x1b\\",
  "other strings": "\x1b_Ga=q;AAAA\x1b\\\x1b^x\x1b\\\x1bXx\x1b\\",
  "controls of one byte": "\x9d\x9b",
  "controls in UTF-8": "\xc2\x9d\xc2\x9b\xc2\x90",
  "another reading of bytes": "\x1b%@\x1b G",
  "a lock of the keyboard": "\x1b[2h\x1b[4;02h\x1b[2;4h",
  "the language of a VT52": "\x1b[?2l\x1b[?7;2l",
  "a mouse that waits for the program": "\x1b[?1001h\x1b[?1000;1001h",
  "saved modes": "\x1b[?1049s\x1b[?1049r",
  "another width of the window": "\x1b[132$|\x1b[?40h",
  "another conformance level": "\x1b[61\"p\x1b[62;0\"p",
  "a sequence that is cut off": "\x1b[6\x18",
  "a sequence in a sequence": "\x1b[6\x1b[6n",
  "an endless sequence": `\x1b[${"1;".repeat(4_000)}m`
}

describe("the output of an attached shell", () => {
  it.each(drawn)("%j draws on the screen, and passes", (text) => {
    assert.strictEqual(whole(text), text)
    for (const size of [1, 2, 3]) assert.strictEqual(pieces(text, size), text)
  })

  it.each(Object.entries(leftOut))("%s is left out, in one piece and byte by byte", (_, text) => {
    assert.strictEqual(whole(`a${text}b`), "ab")
    for (const size of [1, 2, 3]) assert.strictEqual(pieces(`a${text}b`, size), "ab")
  })

  it("controls in a sequence act, and the sequence stays whole", () => {
    assert.strictEqual(whole("\x1b[1\r\n;31mred"), "\r\n\x1b[1;31mred")
  })

  it("a question with its private marker after a digit is left out", () => {
    assert.strictEqual(whole("a\x1b[6?cb\x1b[1>qc\x1b[2?nd"), "abcd")
  })

  it.each([
    ["after a broken character", "\xe2\x9b6n", "\xe26n"],
    ["after a byte that begins no character", "\xff\x9b6n", "\xff6n"],
    ["in a form that is too long", "\xe0\x82\x9b6n\xf0\x80\x82\x9b6n\xe0\x80\x9b[6n", "\xe06n\xf06n\xe0[6n"],
    ["behind a character that a sequence breaks off", "\xe2\x1b[1m\x9b6n", "\xe2\x1b[1m6n"]
  ])("a control %s is left out", (_, text, expected) => {
    assert.strictEqual(whole(text), expected)
    for (const size of [1, 2, 3]) assert.strictEqual(pieces(text, size), expected)
  })

  it("nothing that is left out comes back together from what passes", () => {
    const parts = [...drawn, ...Object.values(leftOut).filter(({ length }) => length < 100)]
    const part = fc.oneof(
      fc.constantFrom(...parts),
      fc.constantFrom(..."\x1b[]P0n6;c?$\\\x07\x18\x9d\xc2\xe2\xe0\xff\x82a".split("")),
      fc.tuple(fc.constantFrom(...parts), fc.nat(12)).map(([text, at]) => text.slice(0, at))
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.integer({ min: 1, max: 9 }), (all, size) => {
        const text = all.join("")
        const once = whole(text)
        assert.strictEqual(pieces(text, size), once)
        // The line break ends a character that is cut off.
        assert.strictEqual(whole(`${once}\n`), `${once}\n`)
        assert.notMatch(once.replace(CHARACTER, ""), /[\x80-\x9f]/)
        assert.notMatch(once, /\x1b\](?!8;)|\x1b[PX^_k]|\x1b\[[0-9;?>=]*[cnt]|\x05/)
      }),
      { numRuns: 3_000 }
    )
  })
})
