import { describe, expect, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { cacheFolder, findImages } from "../../../bench/floors/images.ts"

describe("the floors' images", () => {
  it("the bench looks for images in the product's cache directory", () => {
    expect(cacheFolder({ PYRO_CACHE_DIR: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" })).toBe("/a")
    expect(cacheFolder({ XDG_CACHE_HOME: "/b", HOME: "/c" })).toBe("/b/pyro")
    expect(cacheFolder({ HOME: "/c" })).toBe("/c/.cache/pyro")
  })

  it("the bench finds images by their records, and reports what to do if they are missing", () => {
    const cache = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-images-"))
    try {
      expect(() => findImages(cache, "debian:12")).toThrow(/npm start/)
      const put = (name: string, content: string) => {
        const file = path.join(cache, name)
        fs.mkdirSync(path.dirname(file), { recursive: true })
        fs.writeFileSync(file, content)
        return file
      }
      put("kernels/current.json", "\"abc\"\n")
      const vmlinux = put("kernels/abc/vmlinux", "")
      const bootModules = put("kernels/abc/boot-modules.cpio", "")
      put("environments/names/debian:12.json", JSON.stringify({ format: 1, name: "debian:12", digest: "def" }))
      const environment = put("environments/def/root.erofs", "")
      expect(findImages(cache, "debian:12")).toEqual({ vmlinux, bootModules, environment })
    } finally {
      fs.rmSync(cache, { recursive: true })
    }
  })
})
