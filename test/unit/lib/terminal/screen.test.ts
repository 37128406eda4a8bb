import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "vitest"
import { loadXterm } from "../../../../src/lib/terminal/rendering.ts"
import { Screen } from "../../../../src/lib/terminal/screen.ts"

const xterm = await Effect.runPromise(loadXterm)

const fixtures = path.resolve(import.meta.dirname, "../../../fixtures/terminal")

const screenOf = (cols = 20, rows = 5) => {
  const screen = new Screen(xterm, { cols, rows })
  const write = (text: string) => screen.write(Buffer.from(text, "utf8"))
  return { screen, write, lines: () => screen.textFrom().lines } as const
}

interface Recorded {
  readonly cols: number
  readonly rows: number
  /** What tmux 3.3a shows after so many bytes. */
  readonly frames: ReadonlyArray<{ readonly at: number; readonly lines: ReadonlyArray<string> }>
}

describe("the screen of a terminal as text", () => {
  it.each(["vim", "less"])("every screen of a recorded session of %s is as tmux shows it", (name) => {
    const bytes = fs.readFileSync(path.join(fixtures, `${name}.bin`))
    const { cols, frames, rows } = JSON.parse(fs.readFileSync(path.join(fixtures, `${name}.json`), "utf8")) as Recorded
    const screen = new Screen(xterm, { cols, rows })
    let from = 0
    for (const { at, lines } of frames) {
      // Pieces of three bytes cut characters and sequences anywhere.
      for (; from < at; from += 3) screen.write(bytes.subarray(from, Math.min(at, from + 3)))
      from = at
      assert.deepStrictEqual(screen.textFrom().lines, lines, `${name} at ${at}`)
    }
    assert.isFalse(screen.isAlternate)
  })

  it("a progress bar shows its last state", () => {
    const { lines, write } = screenOf()
    write("get\r\n  1%\r 50%\r100%\r\ndone\r\n")
    assert.deepStrictEqual(lines(), ["get", "100%", "done"])
  })

  it("a wrapped line is one line, and blanks at its end go", () => {
    const { lines, write } = screenOf(10)
    write("a line of 23 letters   \x1b[31mred\x1b[0m   \r\nnext")
    assert.deepStrictEqual(lines(), ["a line of 23 letters   red", "next"])
  })

  it("wide characters, emoji and combining marks stand where a guest's programs put them", () => {
    const { lines, write } = screenOf(20)
    write("漢字|\r\n😀|\x1b[4D\x1b[2CX\r\ne\u0301|\r\n\ud83d\udc69\u200d\ud83d\udcbb|")
    assert.deepStrictEqual(lines(), ["漢字|", "😀X", "é|".normalize("NFD"), "👩‍💻|"])
  })

  it("bytes that are not UTF-8 become U+FFFD, and the text around them stays", () => {
    const { lines, screen, write } = screenOf()
    screen.write(Uint8Array.from([0x61, 0xff, 0xc3, 0x28, 0x9b, 0x33, 0x31, 0x6d]))
    write("b")
    assert.deepStrictEqual(lines(), ["a\ufffd\ufffd(\ufffd31mb"])
  })

  it("a full-screen program shows the whole screen, and the lines from before come back after it", () => {
    const { screen, write } = screenOf()
    write("before\r\n$ vim")
    const mark = screen.mark()
    write("\r\n\x1b[?1049h\x1b[H\x1b[2Jtop\x1b[5;1Hbottom")
    assert.deepStrictEqual(screen.textFrom(mark), {
      lines: ["top", "", "", "", "bottom"],
      isCut: false,
      isAlternate: true
    })
    const within = screen.mark()
    write("\x1b[?1049l$ after")
    for (const one of [mark, within]) {
      const { isAlternate, lines } = screen.textFrom(one)
      assert.isFalse(isAlternate)
      assert.strictEqual(lines.at(-1), "$ after")
      assert.notInclude(lines, "before")
    }
  })
})

describe("the text since a mark", () => {
  it("the text since a mark begins with the line of the cursor", () => {
    const { screen, write } = screenOf()
    write("one\r\n$ ")
    const mark = screen.mark()
    write("ls\r\nfile\r\n$ ")
    assert.deepStrictEqual(screen.textFrom(mark).lines, ["$ ls", "file", "$"])
  })

  it("a mark stays with its line while the text scrolls and the size changes", () => {
    const { screen, write } = screenOf(20, 3)
    write("one\r\ntwo\r\n$ ")
    const mark = screen.mark()
    write("seq\r\n1\r\n2\r\n3\r\n4\r\n5\r\n")
    assert.deepStrictEqual(screen.textFrom(mark).lines, ["$ seq", "1", "2", "3", "4", "5"])
    screen.resize({ cols: 40, rows: 10 })
    assert.deepStrictEqual(screen.textFrom(mark).lines, ["$ seq", "1", "2", "3", "4", "5"])
  })

  it("a program that draws again above a mark shows what it drew", () => {
    const { screen, write } = screenOf()
    write("a: 10%\r\nb: 20%\r\n")
    const mark = screen.mark()
    write("\x1b[2Aa: 90%\r\nb: 95%\r\n")
    assert.deepStrictEqual(screen.textFrom(mark).lines, ["a: 90%", "b: 95%"])
  })

  it("a cleared screen shows all that came after", () => {
    const { screen, write } = screenOf()
    write("one\r\ntwo\r\n$ ")
    const mark = screen.mark()
    write("clear\r\n\x1b[H\x1b[2J\x1b[3J$ ls")
    assert.deepStrictEqual(screen.textFrom(mark).lines, ["$ ls"])
  })

  it("lines that the terminal no longer keeps are told to be missing", () => {
    const { screen, write } = screenOf(1_000, 3)
    const mark = screen.mark()
    for (let n = 0; n < 2_000; n++) write(`${n}\r\n`)
    const { isCut, lines } = screen.textFrom(mark)
    assert.isTrue(isCut)
    assert.strictEqual(lines.at(-1), "1999")
    assert.isAtMost(lines.length, 1_003)
  })
})

describe("hostile output", () => {
  it("requests to the host have no effect, and the text around them stays", () => {
    const { lines, write } = screenOf(40)
    write(
      "a\x1b]0;title\x07b\x1b]52;c;aGVsbG8=\x07c\x1b]8;;http://x/\x07d\x1b]8;;\x07\x1b[8;1;1t\x1b[c\x1b[6n\x1bP+q544e\x1b\\e\x07"
    )
    assert.deepStrictEqual(lines(), ["abcde"])
  })

  it.each([..."@ABCDEFGHIJKLMPSTXZ`abcdefghlmnrsu"].map((final) => [final]))(
    "a count of 2147483647 in CSI %s ends soon",
    (final) => {
      const { lines, write } = screenOf(80, 24)
      write("text\r\nx")
      write(`\x1b[2147483647${final}\x1b[2147483647;2147483647${final}\x1b[?2147483647${final}`)
      write("\x1b[r\x1b[H\x1b[2Jlast")
      assert.strictEqual(lines().at(-1), "last")
    }
  )

  it.each([
    ["selective erase", "\x1b[?2J"],
    ["insert column", "\x1b[1'}"],
    ["delete column", "\x1b[1'~"],
    ["scroll left", "\x1b[1 @"],
    ["scroll right", "\x1b[1 A"],
    ["reset", "\x1bc"],
    ["repeat of a marked character", `x${"\u0301".repeat(100)}\x1b[2147483647b`]
  ])("a flood of the sequence %s on the largest screen ends soon", (_, sequence) => {
    const { lines, screen, write } = screenOf(1_000, 500)
    const flood = Buffer.from(sequence.repeat(Math.ceil(8_192 / sequence.length)))
    for (let n = 0; n < 10; n++) screen.write(flood)
    write("\x1b[H\x1b[2Jlast")
    assert.strictEqual(lines().at(-1), "last")
  }, 30_000)

  it("neither hyperlinks nor combining marks nor styles of the underline grow the memory with the output", () => {
    setFlagsFromString("--expose-gc")
    const collect = runInNewContext("gc") as () => void
    const usedMib = () => {
      collect()
      return process.memoryUsage().heapUsed / 1_048_576
    }
    const { screen } = screenOf(80, 24)
    const before = usedMib()
    for (let n = 0; n < 300; n++) {
      let text = ""
      for (let link = 0; link < 200; link++) text += `\x1b]8;;http://x/${n}-${link}\x07X\x1b]8;;\x07\r`
      for (let style = 0; style < 300; style++) text += `\x1b[4:${style % 5};58;5;${style % 256}mX`
      screen.write(Buffer.from(`${text}a${"\u0301".repeat(20_000)}`))
    }
    assert.isBelow(usedMib() - before, 100)
  }, 60_000)

  it("a character keeps its first eight combining marks", () => {
    const { lines, write } = screenOf()
    write(`a${"\u0301".repeat(9)}\r\nlast`)
    assert.strictEqual(lines()[0], `a${"\u0301".repeat(9)}`)
    assert.strictEqual(lines()[1], "last")
  })

  it("an endless title and endless combining marks leave a screen that goes on", () => {
    const { lines, write } = screenOf(80, 24)
    write(`\x1b]0;${"t".repeat(1_000_000)}\x07a${"\u0301".repeat(100_000)}\r\nlast`)
    assert.strictEqual(lines().at(-1), "last")
  })
})

describe("the painted screen", () => {
  it("a painted screen shows the same text on another terminal", () => {
    const first = screenOf(40, 10)
    first.write("one\r\ntwo \x1b[1;31mred\x1b[0m\r\n漢字 $ ")
    const second = screenOf(40, 10)
    second.write(first.screen.painted()!)
    assert.deepStrictEqual(second.lines(), first.lines())
    second.write("x")
    assert.strictEqual(second.lines().at(-1), "漢字 $ x")
  })

  it("a screen that colours make too long is not painted", () => {
    const { screen, write } = screenOf(200, 50)
    for (let cell = 0; cell < 10_000; cell++) write(`\x1b[38;2;${cell % 256};1;2;48;2;3;4;5mX`)
    assert.isAbove(screen.painted()!.length, 100_000)
    assert.isUndefined(screen.painted(100_000))
    assert.lengthOf(screen.rows().join(""), 10_000)
  })
})
