/** The widest network that a caller may grant to a workspace. */
export interface NetworkCeiling {
  readonly networkPolicy: "off" | "egress" | "egress+published-ports"
  /** Hosts of `egress`, as `--allow-host` takes them. Empty: every public host. */
  readonly allowHosts: ReadonlyArray<string>
}

export const noNetwork: NetworkCeiling = { networkPolicy: "off", allowHosts: [] }

/** Reads `off`, `egress` or `egress+published-ports`, and the latter two with `:HOST,HOST`; undefined for anything else. */
export const readCeiling = (text: string): NetworkCeiling | undefined => {
  if (text === "off") return noNetwork
  const [, networkPolicy, hosts] = /^(egress(?:\+published-ports)?)(?::(.+))?$/.exec(text) ?? []
  if (networkPolicy !== "egress" && networkPolicy !== "egress+published-ports") return undefined
  const allowHosts = hosts?.split(",").map((host) => host.trim()) ?? []
  return allowHosts.includes("") ? undefined : { networkPolicy, allowHosts }
}

/** A ceiling in the form that `readCeiling` reads. */
export const ceilingText = ({ allowHosts, networkPolicy }: NetworkCeiling): string =>
  networkPolicy === "off" || allowHosts.length === 0 ? networkPolicy : `${networkPolicy}:${allowHosts.join(",")}`
