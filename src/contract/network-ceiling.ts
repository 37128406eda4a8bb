/** The widest network that a caller may grant to a workspace. */
export interface NetworkCeiling {
  readonly networkPolicy: "off" | "egress"
  /** Hosts of `egress`, as `--allow-host` takes them. Empty: every public host. */
  readonly allowHosts: ReadonlyArray<string>
}

export const noNetwork: NetworkCeiling = { networkPolicy: "off", allowHosts: [] }

/** Reads `off`, `egress` or `egress:HOST,HOST`; undefined for anything else. */
export const readCeiling = (text: string): NetworkCeiling | undefined => {
  if (text === "off") return noNetwork
  const [, hosts] = /^egress(?::(.+))?$/.exec(text) ?? []
  if (text !== "egress" && hosts === undefined) return undefined
  const allowHosts = hosts?.split(",").map((host) => host.trim()) ?? []
  return allowHosts.includes("") ? undefined : { networkPolicy: "egress", allowHosts }
}

/** A ceiling in the form that `readCeiling` reads. */
export const ceilingText = ({ allowHosts, networkPolicy }: NetworkCeiling): string =>
  networkPolicy === "off" || allowHosts.length === 0 ? networkPolicy : `egress:${allowHosts.join(",")}`
