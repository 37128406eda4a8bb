/** A remote's URL for people and guests: without credentials. None for a path of the host. */
export const publicUrl = (url: string): string | undefined => {
  if (/[\0-\x20\x7f"\\]/.test(url)) return undefined
  // user@host:path: the user of a forge is no secret
  if (/^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^:]*$/.test(url)) return url
  if (!/^(https?|ssh|git):\/\//.test(url) || !URL.canParse(url)) return undefined
  const parsed = new URL(url)
  parsed.password = ""
  if (parsed.protocol !== "ssh:") parsed.username = ""
  parsed.search = ""
  parsed.hash = ""
  return parsed.href
}

/** The repository of `repo_url` for people, models and records: without credentials. */
export const shownRepository = (url: string): string =>
  publicUrl(url) ?? (/^(file:\/\/)?\//.test(url) ? url : "a URL that is none of a repository")
