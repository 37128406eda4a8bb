import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"

const images = path.resolve(import.meta.dirname, "../../../docs/images")

describe("pictures of the documents", () => {
  it.each(fs.readdirSync(images))(
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
