/** Name of the host's own loopback in guests, as `host.docker.internal`. Nobody registers `.internal` (ICANN, 2024). */
export const THIS_HOST = "host.pyro.internal"

/** Where services of the loopback listen. */
export const LOOPBACK = ["127.0.0.1", "::1"] as const

/** How to grant one service of the loopback. */
export const loopbackOption = (port: number): string => `--allow-host ${THIS_HOST}:${port}`
