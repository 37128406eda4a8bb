import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"

const images = path.resolve(import.meta.dirname, "../../../docs/images")

/** Taken of the page by scripts/docs/page-pictures.mjs. The others are drawn. */
const isTaken = (name: string) => /^page-[a-z]+\.png$/.test(name)
const names = fs.readdirSync(images)

describe("pictures of the documents", () => {
  it.each(names.filter(isTaken))("the picture %s of the page is a small one, and docs/ui.md shows it", (name) => {
    const png = fs.readFileSync(path.join(images, name))
    assert.strictEqual(png.subarray(1, 4).toString("latin1"), "PNG")
    assert.isBelow(png.length, 128 * 1024)
    const page = fs.readFileSync(path.join(images, "../ui.md"), "utf8")
    assert.match(page, new RegExp(`!\\[[^\\]]+\\]\\(images/${name}\\)`))
  })

  it.each(names.filter((name) => !isTaken(name)))(
    "GitHub shows the picture %s, which is small, stands alone and follows a dark page",
    (name) => {
      const svg = fs.readFileSync(path.join(images, name), "utf8")
      assert.match(name, /\.svg$/)
      assert.isBelow(Buffer.byteLength(svg), 60 * 1024)
      // GitHub serves pictures under a policy that blocks scripts and everything that another server has.
      assert.notMatch(svg, /<script|<foreignObject|<image|<use|\son\w+=|@import|@font-face|javascript:/i)
      assert.deepStrictEqual([...svg.matchAll(/(?:href|src)=|url\((?!#)/g)], [])
      assert.deepStrictEqual(svg.match(/https?:[^"' )<]+/g), ["http://www.w3.org/2000/svg"])
      assert.include(svg, "prefers-color-scheme: dark")
      // Text for people who do not see the picture.
      assert.match(svg, /<title id="title">[^<]+<\/title>\n<desc id="description">[^<]+<\/desc>/)
    }
  )
})
