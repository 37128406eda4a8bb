import { describe, expect, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { openRequests } from "../../../bench/floors/request.ts"

const sources = path.resolve("bench", "floors")

describe("openRequests", () => {
  it("openRequests starts its own process each time and leaves nothing in the folder", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-requests-"))
    try {
      for (let time = 0; time < 2; time++) {
        const { close, request } = await openRequests(folder, sources)
        await request()
        await close()
      }
      expect(fs.readdirSync(folder)).toEqual([])
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })

  it("openRequests fails if its process does not start", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-requests-"))
    try {
      // The library is not found from there; what Node says of it is the terminal's.
      await expect(openRequests(folder, folder)).rejects.toThrow("ended with status 1 instead")
      expect(fs.readdirSync(folder)).toEqual([])
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })
})
