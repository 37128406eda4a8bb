import { deadlineScale } from "../../../src/system/settings/deadline-scale.ts"

/** Longest that glibc waits for an answer, in seconds: as short as it can be, for tests of silent resolvers. An emulated host takes longer. */
const timeoutSeconds = Math.ceil(Math.min(deadlineScale, 10))

/** Text of a resolv.conf(5) with one resolver, which is asked once. */
export const resolvConf = (nameserver: string): string =>
  `nameserver ${nameserver}\noptions timeout:${timeoutSeconds} attempts:1\n`
