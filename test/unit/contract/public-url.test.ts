import { assert, describe, it } from "vitest"
import { shownRepository } from "../../../src/contract/text/public-url.ts"

describe("the repository of repo_url, as people, models and records have it", () => {
  it.each([
    ["https://example.org/owner/repo", "https://example.org/owner/repo"],
    ["https://ghp_token@example.org/repo.git", "https://example.org/repo.git"],
    ["https://me:ghp_token@example.org/repo.git", "https://example.org/repo.git"],
    ["https://example.org/repo.git?private_token=ghp_token#ghp_token", "https://example.org/repo.git"],
    ["ssh://git:ghp_token@example.org/repo", "ssh://git@example.org/repo"],
    ["/home/ada/repo", "/home/ada/repo"],
    ["file:///home/ada/repo", "file:///home/ada/repo"],
    ["https://me:ghp_token\"@example.org/repo", "a URL that is none of a repository"],
    ["ftp://me:ghp_token@example.org/repo", "a URL that is none of a repository"],
    ["me:ghp_token@example.org:repo", "a URL that is none of a repository"]
  ])("%s is shown as %s", (url, shown) => assert.strictEqual(shownRepository(url), shown))
})
